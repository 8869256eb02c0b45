//! One random request, and whether its answer is what memory says.

use std::fmt::{self, Debug, Formatter, Write};

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value, json};

use super::{
    fixture::Fixture,
    page::Lists,
    request::{List, a_list},
    selection::{Item, Reach, Text, Thing, Type, answer, field, items},
    tables::Table,
};
use crate::harness::{Answer, Client};

/// How many rows the list at the root has at most, and those in its rows: the service counts what a
/// request could answer, and refuses too much.
const MOST: usize = 25;
const MOST_BELOW: usize = 4;
/// How many different lists there are to nest.
const NESTED: usize = 2;

/// A request of a list.
#[derive(Clone)]
pub(super) struct Case {
    table: &'static Table,
    /// The list at the root, and those that rows may be asked for.
    lists: Vec<List>,
    /// What is asked of each row.
    rows: Vec<Item>,
    /// What else is asked of the list.
    more: Vec<Item>,
    /// Whether arguments stand in the document, instead of variables.
    inline: bool,
    /// Which row is read by itself too.
    single: Index,
}

// What is wrong with a case is said together with its request, which says all of it.
impl Debug for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "a request of {}, see above", self.table.many)
    }
}

/// Any request of a list of this table.
pub(super) fn case(fixture: &Fixture, table: &'static Table) -> BoxedStrategy<Case> {
    let nested = table.to_many.iter().map(|relation| a_list(fixture, relation.target, MOST_BELOW, true));
    let nested = nested
        .map(|list| vec(list, NESTED))
        .next()
        .unwrap_or_else(|| vec(a_list(fixture, table, 1, true), 0));
    let of = |depth, lists| {
        let reach = Reach { depth, lists };
        (items(Type::Row(table), reach), items(Type::Connection(table), reach))
    };
    // Those that reach one relation far are read with joins, and those that go further with loaders.
    let lists = if table.to_many.is_empty() { 0 } else { NESTED };
    let selections = prop_oneof![of(0, 0), of(1, 0), of(2, lists)];
    (a_list(fixture, table, MOST, false), nested, selections, any::<bool>(), any::<Index>())
        .prop_map(move |(list, nested, (rows, more), inline, single)| {
            let lists = std::iter::once(list).chain(nested).collect();
            Case { table, lists, rows, more, inline, single }
        })
        .boxed()
}

/// A request as it is sent.
struct Request {
    query: String,
    variables: Value,
}

/// How the check of a case ended.
pub(super) enum Outcome {
    Right,
    /// The request could answer more than the service allows.
    TooMuch,
}

impl Case {
    /// Asks, and compares.
    ///
    /// # Errors
    /// The request, what was expected and what came.
    pub(super) async fn check(&self, client: &Client, fixture: &Fixture) -> Result<Outcome, String> {
        let lists = Lists::read(client, fixture, self.table, &self.lists).await?;
        let cut = lists.cut(fixture, self.table, 0, None);
        let mut selected = vec![field("nodes", 8, Type::id()), field("nodes", 9, self.rows.clone())];
        selected.extend(self.more.clone());
        let request = self.request(&lists, &selected);
        let expected = answer(fixture, &lists, &Thing::Page(self.table, cut.clone()), &selected);
        let answered = client.run(&request.query, request.variables.clone()).await;
        if answered.errors() == ["COST_EXCEEDED"] {
            return Ok(Outcome::TooMuch);
        }
        same(&request, &answered, &json!({ self.table.many: expected }))?;
        let live: Vec<_> = cut.rows.iter().filter(|(row, _)| row["deletedAt"].is_null()).collect();
        if !live.is_empty() {
            let (row, _) = self.single.get(&live);
            let request = self.single(&lists, &row["id"]);
            let expected = answer(fixture, &lists, &Thing::Row(self.table, row), &self.rows);
            let answered = client.run(&request.query, request.variables.clone()).await;
            same(&request, &answered, &json!({ "one": expected, "node": expected }))?;
        }
        Ok(Outcome::Right)
    }

    fn request(&self, lists: &Lists<'_>, selected: &[Item]) -> Request {
        self.document(lists, json!({}), |text| {
            let (arguments, selected) = ((text.arguments)(0), text.selection(selected));
            format!("{}{arguments} {selected}", self.table.many)
        })
    }

    /// The same of one row, by the entity's own resolvers.
    fn single(&self, lists: &Lists<'_>, id: &Value) -> Request {
        let Table { name, one, .. } = self.table;
        self.document(lists, json!({ "id": id }), |text| {
            let (row, again) = (text.selection(&self.rows), text.selection(&self.rows));
            format!("one: {one}(id: $id) {row} node(id: $id) {{ ... on {name} {again} }}")
        })
    }

    fn document(
        &self,
        lists: &Lists<'_>,
        variables: Value,
        body: impl FnOnce(&mut Text<'_>) -> String,
    ) -> Request {
        let Value::Object(mut variables) = variables else { panic!("variables have names") };
        let mut declared: String = variables.keys().map(|name| format!("${name}: ID! ")).collect();
        let arguments = |list: usize| {
            let given = lists.arguments(list).into_iter().map(|(name, value)| {
                if self.inline {
                    format!("{name}: {}", literal(&value))
                } else {
                    format!("{name}: ${name}{list}")
                }
            });
            let given = given.collect::<Vec<_>>().join(", ");
            if given.is_empty() { given } else { format!("({given})") }
        };
        let mut text = Text { arguments: &arguments, fragments: String::new(), count: 0 };
        let body = body(&mut text);
        let rest = format!("{{ {body} }}{}", text.fragments);
        let mut declare = |name: String, ty: &str, value: Value| {
            // One that nobody uses is an error of the document.
            if rest.contains(&format!("${name}")) {
                write!(declared, "${name}: {ty} ").unwrap();
                variables.insert(name, value);
            }
        };
        for list in 0..self.lists.len() {
            for (name, value) in lists.arguments(list) {
                let ty = match name.as_str() {
                    "where" => format!("{}Filter", self.table.name),
                    "orderBy" => format!("[{}OrderBy!]", self.table.name),
                    "deleted" => "Deleted!".to_owned(),
                    "first" | "last" => "Int".to_owned(),
                    _ => "String".to_owned(),
                };
                declare(format!("{name}{list}"), &ty, value);
            }
        }
        for yes in [true, false] {
            declare(format!("is_{yes}"), "Boolean!", json!(yes));
        }
        let declared = if declared.is_empty() { declared } else { format!("({declared})") };
        Request { query: format!("query {declared} {rest}"), variables: Value::Object(variables) }
    }
}

/// The names of enums that a case can hold.
const NAMES: &[&str] = &[
    "ASC",
    "DESC",
    "ASC_NULLS_FIRST",
    "DESC_NULLS_FIRST",
    "COMPANY",
    "PERSON",
    "EXCLUDE",
    "INCLUDE",
    "ONLY",
    "MANAGER",
    "STAFF",
    "USER",
];

/// A value as GraphQL writes it. Only names of enums have capitals here and nothing else.
fn literal(value: &Value) -> String {
    let several = |inside: Vec<String>| inside.join(", ");
    match value {
        Value::String(name) if NAMES.contains(&name.as_str()) => name.clone(),
        Value::Array(list) => format!("[{}]", several(list.iter().map(literal).collect())),
        Value::Object(object) => {
            let field = |(name, value): (&String, &Value)| format!("{name}: {}", literal(value));
            format!("{{{}}}", several(object.iter().map(field).collect()))
        }
        value => value.to_string(),
    }
}

fn same(request: &Request, answered: &Answer, expected: &Value) -> Result<(), String> {
    let data = &answered.body["data"];
    if answered.body.get("errors").is_none() && data == expected {
        return Ok(());
    }
    let (query, variables) = (&request.query, &request.variables);
    let mut places = vec![];
    differences("", expected, data, &mut places);
    let (errors, places) = (&answered.body["errors"], places.join("\n"));
    Err(format!("{query}\nvariables {variables}\nerrors    {errors}\n{places}"))
}

/// Where two answers differ.
fn differences(place: &str, expected: &Value, answered: &Value, places: &mut Vec<String>) {
    match (expected, answered) {
        (one, other) if one == other || places.len() > 10 => {}
        (Value::Object(one), Value::Object(other)) => {
            let keys: Map<_, _> = one.clone().into_iter().chain(other.clone()).collect();
            for key in keys.keys() {
                let nothing = json!("(nothing)");
                let side = |object: &Map<String, Value>| object.get(key).unwrap_or(&nothing).clone();
                differences(&format!("{place}/{key}"), &side(one), &side(other), places);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{place}/{number}"), one, other, places);
            }
        }
        _ => places.push(format!("at {place}\n  expected {expected}\n  answered {answered}")),
    }
}
