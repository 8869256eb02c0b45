//! Random selections: aliases, fragments, directives, the same field twice; and what they answer.

use std::fmt::Write;

use proptest::{collection::vec, option, prelude::*, sample::select, strategy::Union};
use serde_json::{Map, Value, json};

use super::{
    fixture::{Fixture, Row},
    page::{Cut, Lists},
    tables::{Kind, Part, Table},
};

/// What a selection is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    Row(&'static Table),
    /// The interface, and what the thing is.
    Node(&'static Table),
    Connection(&'static Table),
    Edge(&'static Table),
    PageInfo,
    Part(&'static Part),
}

/// One item of a selection.
#[derive(Clone, Debug)]
pub(super) struct Item {
    what: What,
    guard: Option<Guard>,
}

#[derive(Clone, Debug)]
enum What {
    /// A field, under its own name or an alias made of the name and a number.
    Field { name: &'static str, alias: Option<u8>, below: Option<Vec<Item>> },
    /// A list, by its number among those of the case; the number is the alias.
    Nested { name: &'static str, list: usize, below: Vec<Item> },
    /// A fragment; a named one stands at the end of the document.
    Fragment { on: Option<String>, named: bool, items: Vec<Item> },
}

/// `@skip` or `@include`, with a variable or a constant.
#[derive(Clone, Copy, Debug)]
struct Guard {
    skip: bool,
    given: bool,
    variable: bool,
}

/// How far selections reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// How many relations one after the other.
    pub(super) depth: usize,
    /// How many lists there are to nest, from the second on.
    pub(super) lists: usize,
}

impl Type {
    /// A selection of nothing but ids.
    pub(super) fn id() -> Vec<Item> {
        vec![Item { what: What::Field { name: "id", alias: None, below: None }, guard: None }]
    }

    fn name(self) -> String {
        match self {
            Self::Row(table) => table.name.to_owned(),
            Self::Node(_) => "Node".to_owned(),
            Self::Connection(table) => format!("{}Connection", table.name),
            Self::Edge(table) => format!("{}Edge", table.name),
            Self::PageInfo => "PageInfo".to_owned(),
            Self::Part(part) => part.name.to_owned(),
        }
    }

    fn leaves(self) -> Vec<&'static str> {
        let own = match self {
            Self::Row(table) => {
                let leaves = table.fields.iter().filter(|(_, kind)| !matches!(kind, Kind::Parts(_)));
                leaves.map(|(name, _)| *name).collect()
            }
            Self::Node(_) => vec!["id"],
            Self::Connection(_) => vec!["totalCount"],
            Self::Edge(_) => vec!["cursor"],
            Self::PageInfo => vec!["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
            Self::Part(part) => part.fields.to_vec(),
        };
        [own, vec!["__typename"]].concat()
    }

    /// Fields that have fields.
    fn branches(self, reach: Reach) -> Vec<(&'static str, Type)> {
        match self {
            Self::Row(table) => {
                let parts = table.fields.iter().filter_map(|(name, kind)| match kind {
                    Kind::Parts(part) => Some((*name, Self::Part(part))),
                    _ => None,
                });
                let to_one = table.to_one.iter().filter(|_| reach.depth > 0);
                // Twice as likely: these are what is read together with the rows.
                let to_one = to_one.flat_map(|relation| [(relation.name, Self::Row(relation.target)); 2]);
                parts.chain(to_one).collect()
            }
            Self::Connection(table) => {
                vec![("nodes", Self::Row(table)), ("edges", Self::Edge(table)), ("pageInfo", Self::PageInfo)]
            }
            Self::Edge(table) => vec![("node", Self::Row(table))],
            _ => vec![],
        }
    }
}

/// A field under an alias.
pub(super) fn field(name: &'static str, alias: u8, below: Vec<Item>) -> Item {
    let below = (!below.is_empty()).then_some(below);
    Item { what: What::Field { name, alias: Some(alias), below }, guard: None }
}

/// Any selection of a type. The first item is there whatever directives say: of an object without
/// any, async-graphql 7.2 answers null.
pub(super) fn items(of: Type, reach: Reach) -> BoxedStrategy<Vec<Item>> {
    nested(of, reach, 2)
}

fn nested(of: Type, reach: Reach, fragments: usize) -> BoxedStrategy<Vec<Item>> {
    let first = leaf(of).prop_map(|what| Item { what, guard: None });
    (first, vec(item(of, reach, fragments), 0..4))
        .prop_map(|(first, more)| std::iter::once(first).chain(more).collect())
        .boxed()
}

fn leaf(of: Type) -> BoxedStrategy<What> {
    let leaf = (select(of.leaves()), alias());
    leaf.prop_map(|(name, alias)| What::Field { name, alias, below: None }).boxed()
}

fn alias() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.3, 0..2_u8)
}

fn item(of: Type, reach: Reach, fragments: usize) -> BoxedStrategy<Item> {
    let mut kinds = vec![(if matches!(of, Type::Connection(_)) { 2 } else { 5 }, leaf(of))];
    for (name, ty) in of.branches(reach) {
        let depth = if matches!(of, Type::Row(_)) { reach.depth.saturating_sub(1) } else { reach.depth };
        let below = nested(ty, Reach { depth, ..reach }, fragments.min(1));
        let field =
            (alias(), below).prop_map(move |(alias, below)| What::Field { name, alias, below: Some(below) });
        kinds.push((if matches!(of, Type::Connection(_)) { 2 } else { 1 }, field.boxed()));
    }
    if let Type::Row(table) = of
        && reach.depth > 0
    {
        for relation in table.to_many.iter().filter(|_| reach.lists > 0) {
            let reach_below = Reach { depth: reach.depth - 1, lists: 0 };
            let below = nested(Type::Connection(relation.target), reach_below, 1);
            let list = (1..=reach.lists, below).prop_map(|(list, below)| What::Nested {
                name: relation.name,
                list,
                below,
            });
            kinds.push((8, list.boxed()));
        }
    }
    if fragments > 0 {
        kinds.push((2, fragment(of, reach, fragments - 1)));
    }
    let guard = option::weighted(0.15, (any::<bool>(), any::<bool>(), any::<bool>()));
    (Union::new_weighted(kinds), guard)
        .prop_map(|(what, guard)| {
            // async-graphql 7.2 overlooks variables that only a `__typename` uses, and refuses them.
            let typename = matches!(what, What::Field { name: "__typename", .. });
            let guard =
                guard.map(|(skip, given, variable)| Guard { skip, given, variable: variable && !typename });
            Item { what, guard }
        })
        .boxed()
}

fn fragment(of: Type, reach: Reach, fragments: usize) -> BoxedStrategy<What> {
    let some = |of| vec(item(of, reach, fragments), 1..4);
    let own = (any::<bool>(), any::<bool>(), some(of)).prop_map(move |(named, on, items)| {
        let on = (named || on).then(|| of.name());
        What::Fragment { on, named, items }
    });
    let other = match of {
        // Of the interface; and there back to the type, or to one that it is not.
        Type::Row(table) => some(Type::Node(table))
            .prop_map(|items| What::Fragment { on: Some("Node".to_owned()), named: true, items })
            .boxed(),
        Type::Node(table) => some(Type::Row(table))
            .prop_map(|items| What::Fragment { on: Some(table.name.to_owned()), named: false, items })
            .boxed(),
        _ => return own.boxed(),
    };
    let foreign = Just(What::Fragment {
        on: Some("Organisation".to_owned()),
        named: false,
        items: vec![Item { what: What::Field { name: "slug", alias: None, below: None }, guard: None }],
    });
    match of {
        Type::Node(_) => prop_oneof![own, other, foreign].boxed(),
        _ => prop_oneof![2 => own, 1 => other].boxed(),
    }
}

impl Guard {
    fn lets_through(self) -> bool {
        self.skip != self.given
    }

    fn text(self) -> String {
        let name = if self.skip { "skip" } else { "include" };
        let given = match (self.variable, self.given) {
            (true, given) => format!("$is_{given}"),
            (false, given) => given.to_string(),
        };
        format!(" @{name}(if: {given})")
    }
}

/// The text of selections, and the fragments that they name.
pub(super) struct Text<'a> {
    /// What stands in the brackets of a list.
    pub(super) arguments: &'a dyn Fn(usize) -> String,
    pub(super) fragments: String,
    pub(super) count: usize,
}

impl Text<'_> {
    /// Writes a selection, braces included.
    pub(super) fn selection(&mut self, items: &[Item]) -> String {
        let mut out = "{".to_owned();
        for item in items {
            let guard = item.guard.map(Guard::text).unwrap_or_default();
            match &item.what {
                What::Field { name, alias, below } => {
                    let alias = alias.map(|alias| format!("{}: ", key(name, alias))).unwrap_or_default();
                    let below = below.as_ref().map(|below| self.selection(below)).unwrap_or_default();
                    write!(out, " {alias}{name}{guard} {below}").unwrap();
                }
                What::Nested { name, list, below } => {
                    let (arguments, below) = ((self.arguments)(*list), self.selection(below));
                    write!(out, " {name}{list}: {name}{arguments}{guard} {below}").unwrap();
                }
                What::Fragment { on, named, items } => {
                    let on = on.as_ref().map(|on| format!("on {on} ")).unwrap_or_default();
                    let items = self.selection(items);
                    if *named {
                        let number = self.count;
                        self.count += 1;
                        write!(self.fragments, " fragment F{number} {on}{items}").unwrap();
                        write!(out, " ...F{number}{guard}").unwrap();
                    } else {
                        write!(out, " ... {on}{guard} {items}").unwrap();
                    }
                }
            }
        }
        out + " }"
    }
}

/// Aliases of `__typename` must not begin with what is GraphQL's own.
fn key(name: &str, alias: u8) -> String {
    format!("{}{alias}", name.trim_start_matches('_'))
}

/// Something that a selection is answered of.
#[derive(Clone)]
pub(super) enum Thing<'w> {
    Row(&'static Table, &'w Row),
    Page(&'static Table, Cut<'w>),
    Edge(&'static Table, &'w Row, String),
    Info(Value),
    Part(&'static Part, Value),
}

/// What a selection answers.
pub(super) fn answer<'w>(
    fixture: &'w Fixture,
    lists: &'w Lists<'w>,
    thing: &Thing<'w>,
    items: &[Item],
) -> Value {
    let mut object = Map::new();
    add(fixture, lists, thing, items, &mut object);
    Value::Object(object)
}

fn add<'w>(
    fixture: &'w Fixture,
    lists: &'w Lists<'w>,
    thing: &Thing<'w>,
    items: &[Item],
    object: &mut Map<String, Value>,
) {
    for item in items.iter().filter(|item| item.guard.is_none_or(Guard::lets_through)) {
        let (key, value) = match &item.what {
            What::Fragment { on, items, .. } => {
                if on.as_ref().is_none_or(|on| thing.is(on)) {
                    add(fixture, lists, thing, items, object);
                }
                continue;
            }
            What::Field { name, alias, below } => {
                let below = below.as_deref().unwrap_or_default();
                let key = alias.map_or((*name).to_owned(), |alias| key(name, alias));
                (key, thing.field(fixture, lists, name, below))
            }
            What::Nested { name, list, below } => {
                let Thing::Row(table, row) = thing else { panic!("only rows have lists") };
                let relation = table.to_many(name).unwrap();
                let cut = lists.cut(fixture, relation.target, *list, Some((relation.holder, &row["id"])));
                (format!("{name}{list}"), answer(fixture, lists, &Thing::Page(relation.target, cut), below))
            }
        };
        match object.get_mut(&key) {
            Some(there) => merge(there, value),
            None => {
                object.insert(key, value);
            }
        }
    }
}

fn merge(there: &mut Value, more: Value) {
    match (there, more) {
        (Value::Object(there), Value::Object(more)) => {
            for (key, value) in more {
                match there.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => {
                        there.insert(key, value);
                    }
                }
            }
        }
        // A list of objects; one of values is the same both times, like any other value.
        (Value::Array(there), Value::Array(more)) => {
            there.iter_mut().zip(more).for_each(|(there, more)| merge(there, more));
        }
        _ => {}
    }
}

impl<'w> Thing<'w> {
    fn name(&self) -> String {
        let ty = match self {
            Self::Row(table, _) => Type::Row(table),
            Self::Page(table, _) => Type::Connection(table),
            Self::Edge(table, ..) => Type::Edge(table),
            Self::Info(_) => Type::PageInfo,
            Self::Part(part, _) => Type::Part(part),
        };
        ty.name()
    }

    fn is(&self, on: &str) -> bool {
        self.name() == on || (on == "Node" && matches!(self, Self::Row(..)))
    }

    fn field(&self, fixture: &'w Fixture, lists: &'w Lists<'w>, name: &str, below: &[Item]) -> Value {
        if name == "__typename" {
            return json!(self.name());
        }
        let each = |things: Vec<Thing<'w>>| -> Value {
            things.iter().map(|thing| answer(fixture, lists, thing, below)).collect()
        };
        match self {
            Self::Row(table, row) => {
                if let Some(relation) = table.to_one(name) {
                    let related = fixture.find(relation.target, &row[relation.holder]);
                    return related.map_or(Value::Null, |related| {
                        answer(fixture, lists, &Thing::Row(relation.target, related), below)
                    });
                }
                match table.kind(name) {
                    Some(Kind::Parts(part)) => {
                        let parts = row[name].as_array().unwrap().iter();
                        each(parts.map(|value| Thing::Part(part, value.clone())).collect())
                    }
                    _ => row[name].clone(),
                }
            }
            Self::Page(table, cut) => match name {
                "nodes" => each(cut.rows.iter().map(|(row, _)| Thing::Row(table, row)).collect()),
                "edges" => each(
                    cut.rows.iter().map(|(row, cursor)| Thing::Edge(table, row, cursor.clone())).collect(),
                ),
                "pageInfo" => answer(fixture, lists, &Thing::Info(cut.info()), below),
                _ => json!(cut.total),
            },
            Self::Edge(_, _, cursor) if name == "cursor" => json!(cursor),
            Self::Edge(table, row, _) => answer(fixture, lists, &Thing::Row(table, row), below),
            Self::Info(value) | Self::Part(_, value) => value[name].clone(),
        }
    }
}
