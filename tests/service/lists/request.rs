//! Random filters, orders and pages.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Map, Value, json};

use super::{
    fixture::{AMOUNTS, DAYS, Fixture, INSTANTS, JSONS, TEXTS},
    tables::{Kind, Relation, Table},
};

/// How deep filters nest. The service's own bound counts every name on the way.
pub(super) const DEPTH: usize = 3;

/// What is asked of a list.
#[derive(Clone, Debug)]
pub(super) struct List {
    /// Absent, or any filter, null included.
    pub(super) filter: Option<Value>,
    /// Which rows by their deletion.
    pub(super) deleted: Option<&'static str>,
    pub(super) order: Vec<Value>,
    pub(super) size: Option<Size>,
    /// Behind which row of the whole list, in its order.
    pub(super) after: Option<Index>,
    pub(super) before: Option<Index>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    First(usize),
    Last(usize),
}

/// A list of at most so many rows; `short` ones always say how many.
pub(super) fn a_list(
    fixture: &Fixture,
    table: &'static Table,
    most: usize,
    short: bool,
) -> BoxedStrategy<List> {
    let size = (any::<bool>(), 0..=most)
        .prop_map(|(first, rows)| if first { Size::First(rows) } else { Size::Last(rows) });
    let size = if short { size.prop_map(Some).boxed() } else { option::weighted(0.9, size).boxed() };
    let filter = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Value::Null)),
        12 => filter(fixture, table, DEPTH).prop_map(Some),
    ];
    let deleted = option::weighted(0.3, select(vec!["EXCLUDE", "INCLUDE", "ONLY"]));
    let cursor = || option::weighted(0.4, any::<Index>());
    (filter, deleted, order(table), size, cursor(), cursor())
        .prop_map(|(filter, deleted, order, size, after, before)| List {
            filter,
            deleted,
            order,
            size,
            after,
            before,
        })
        .boxed()
}

/// Up to four keys, the rows' own or those of related ones.
pub(super) fn order(table: &'static Table) -> BoxedStrategy<Vec<Value>> {
    vec(key(table), 0..=4).boxed()
}

fn key(table: &'static Table) -> BoxedStrategy<Value> {
    let related = select(table.to_one);
    prop_oneof![
        2 => directed(table),
        1 => related.prop_flat_map(|relation: &'static Relation| {
            let name = relation.name;
            directed(relation.target).prop_map(move |key| json!({ name: key }))
        }),
    ]
    .boxed()
}

fn directed(table: &'static Table) -> impl Strategy<Value = Value> + use<> {
    let ordered: Vec<_> =
        table.fields.iter().filter(|(_, kind)| kind.is_ordered()).map(|(name, _)| *name).collect();
    (select(ordered), select(vec!["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"]))
        .prop_map(|(name, direction)| json!({ name: direction }))
}

/// Any filter, as the input object that it is.
pub(super) fn filter(fixture: &Fixture, table: &'static Table, depth: usize) -> BoxedStrategy<Value> {
    let leaf = condition(fixture, table);
    if depth == 0 {
        return leaf;
    }
    let below = filter(fixture, table, depth - 1);
    let several = || vec(below.clone(), 0..4);
    prop_oneof![
        4 => leaf,
        1 => prop_oneof![Just(json!({})), Just(json!({ "name": null })), Just(json!({ "and": null }))],
        2 => several().prop_map(|all| json!({ "and": all })),
        2 => several().prop_map(|any| json!({ "or": any })),
        1 => below.clone().prop_map(|one| json!({ "or": one })),
        3 => below.clone().prop_map(|one| json!({ "not": one })),
        3 => related(fixture, table, depth - 1),
        // Several names in one object: all of them hold.
        2 => several().prop_map(|all| Value::Object(all.into_iter().flat_map(object).collect())),
    ]
    .boxed()
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(object) = value { object } else { Map::new() }
}

fn related(fixture: &Fixture, table: &'static Table, depth: usize) -> BoxedStrategy<Value> {
    let to_one = table.to_one.iter().map(|relation| {
        let name = relation.name;
        let is_null = option::weighted(0.2, any::<bool>());
        (filter(fixture, relation.target, depth), is_null)
            .prop_map(move |(mut filter, is_null)| {
                if let Some(is_null) = is_null {
                    filter["isNull"] = json!(is_null);
                }
                json!({ name: filter })
            })
            .boxed()
    });
    let to_many = table.to_many.iter().map(|relation| {
        let name = relation.name;
        let quantity = (select(vec!["some", "none", "every"]), filter(fixture, relation.target, depth))
            .prop_map(|(quantity, filter)| json!({ quantity: filter }));
        let operator = select(vec!["eq", "ne", "gt", "gte", "lt", "lte"]);
        let count = vec((operator, 0..6), 0..3).prop_map(|operators| {
            let operators =
                operators.into_iter().map(|(operator, number)| (operator.to_owned(), json!(number)));
            json!({ "count": operators.collect::<Map<_, _>>() })
        });
        let quantities = vec(prop_oneof![3 => quantity, 1 => count], 0..3);
        let merged = |all: Vec<Value>| all.into_iter().flat_map(object).collect::<Map<_, _>>();
        quantities.prop_map(move |all| json!({ name: merged(all) })).boxed()
    });
    proptest::strategy::Union::new(to_one.chain(to_many)).boxed()
}

/// Operators of one field.
fn condition(fixture: &Fixture, table: &'static Table) -> BoxedStrategy<Value> {
    let fields = table.fields.iter().map(|(name, _)| operations(fixture, table, name));
    proptest::strategy::Union::new(fields).boxed()
}

fn operations(fixture: &Fixture, table: &'static Table, name: &'static str) -> BoxedStrategy<Value> {
    let kind = table.kind(name).unwrap();
    vec(operation(&operands(fixture, table, name, kind), kind), 0..3)
        .prop_map(move |operators| json!({ name: operators.into_iter().collect::<Map<_, _>>() }))
        .boxed()
}

/// An operator of a kind and what it is given.
fn operation(one: &BoxedStrategy<Value>, kind: Kind) -> BoxedStrategy<(String, Value)> {
    let several = vec(one.clone(), 0..4).prop_map(Value::from).boxed();
    let yes = any::<bool>().prop_map(Value::from).boxed();
    // Any piece of a text, in capitals or not, and what patterns would take for a sign.
    let pieces = select([TEXTS, &["", "A", "B_", "%", "\\", "_b"]].concat()).prop_map(Value::from).boxed();
    let operators = kind.operators().1.iter().map(|operator| {
        let operand = match *operator {
            "in" | "notIn" | "hasAny" | "hasAll" => several.clone(),
            "isNull" | "isEmpty" => yes.clone(),
            "contains" if kind == Kind::Json => one.clone(),
            "contains" | "startsWith" | "endsWith" => pieces.clone(),
            _ => one.clone(),
        };
        operand.prop_map(move |operand| ((*operator).to_owned(), operand)).boxed()
    });
    proptest::strategy::Union::new(operators).boxed()
}

/// A value that a field may be compared with.
fn operands(fixture: &Fixture, table: &Table, field: &str, kind: Kind) -> BoxedStrategy<Value> {
    let chosen = |from: &[&str]| select(from.iter().map(|text| json!(text)).collect::<Vec<_>>()).boxed();
    match kind {
        Kind::Text | Kind::Texts => chosen(TEXTS),
        // A condition on some fields of a part.
        Kind::Parts(part) => {
            let condition = operation(&chosen(TEXTS), Kind::Text)
                .prop_map(|(operator, operand)| json!({ operator: operand }));
            vec((select(part.fields), condition), 0..3)
                .prop_map(|conditions| {
                    let conditions = conditions.into_iter().map(|(field, given)| (field.to_owned(), given));
                    Value::Object(conditions.collect())
                })
                .boxed()
        }
        Kind::Choice(names) | Kind::Choices(names) => chosen(names),
        Kind::Instant => chosen(INSTANTS),
        Kind::Date => chosen(DAYS),
        Kind::Integer => (0..6).prop_map(Value::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        // Whole ones may be written as numbers.
        Kind::Decimal => prop_oneof![
            3 => chosen(AMOUNTS),
            1 => chosen(&["-0.50", "11.00"]),
            1 => (-1..13).prop_map(Value::from),
        ]
        .boxed(),
        Kind::Json => select(JSONS).prop_map(|json| serde_json::from_str(json).unwrap()).boxed(),
        Kind::Id => {
            let of = table.to_one.iter().find(|relation| relation.holder == field);
            select(fixture.ids(of.map_or(table, |relation| relation.target))).boxed()
        }
    }
}
