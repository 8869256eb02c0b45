//! What filters and orders mean, in memory.

use std::cmp::{Ordering, Reverse};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::{
    fixture::{Fixture, Row, amount},
    tables::{Kind, Table},
};

/// A value that compares. Its absence is larger than everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Text(String),
    Number(i64),
    Boolean(bool),
    Instant(DateTime<Utc>),
    Date(NaiveDate),
    Null,
}

fn cell(kind: Kind, value: &Value) -> Cell {
    match (kind, value) {
        (_, Value::Null) => Cell::Null,
        (Kind::Instant, Value::String(text)) => Cell::Instant(text.parse().unwrap()),
        (Kind::Date, Value::String(text)) => Cell::Date(text.parse().unwrap()),
        (Kind::Decimal, Value::String(text)) => Cell::Number(decimal(text)),
        (Kind::Decimal, value) => Cell::Number(decimal(&value.to_string())),
        (_, Value::String(text)) => Cell::Text(text.clone()),
        (_, Value::Number(number)) => Cell::Number(number.as_i64().unwrap()),
        (_, Value::Bool(yes)) => Cell::Boolean(*yes),
        _ => panic!("{value} is no value of {kind:?}"),
    }
}

fn decimal(text: &str) -> i64 {
    match text.strip_prefix('-') {
        Some(text) => -amount(text).0,
        None => amount(text).0,
    }
}

/// Whether a row is in the list of a filter that asks for these rows by their deletion.
pub(super) fn listed(fixture: &Fixture, table: &Table, row: &Row, filter: &Value, deleted: &str) -> bool {
    let meant = match deleted {
        "INCLUDE" => true,
        "ONLY" => !row["deletedAt"].is_null(),
        _ => row["deletedAt"].is_null(),
    };
    meant && holds(fixture, table, row, filter)
}

/// Whether a filter holds for a row.
fn holds(fixture: &Fixture, table: &Table, row: &Row, filter: &Value) -> bool {
    let Value::Object(parts) = filter else { return true };
    parts.iter().filter(|(_, given)| !given.is_null()).all(|(name, given)| {
        let each = |filter: &Value| holds(fixture, table, row, filter);
        match name.as_str() {
            "and" => list(given).iter().all(each),
            "or" => list(given).iter().any(each),
            "not" => !each(given),
            name => match table.kind(name) {
                Some(kind) => given
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(operator, operand)| compares(kind, &row[name], operator, operand)),
                None => related(fixture, table, row, name, given),
            },
        }
    })
}

/// One alone stands for a list of one.
fn list(given: &Value) -> Vec<Value> {
    given.as_array().cloned().unwrap_or_else(|| vec![given.clone()])
}

fn related(fixture: &Fixture, table: &Table, row: &Row, name: &str, given: &Value) -> bool {
    if let Some(relation) = table.to_one(name) {
        let other = fixture.find(relation.target, &row[relation.holder]);
        let mut given = given.clone();
        let is_null = given.as_object_mut().and_then(|given| given.remove("isNull"));
        let meant = is_null.as_ref().is_none_or(|is_null| *is_null == other.is_none());
        let asks_nothing = given.as_object().is_some_and(|given| given.values().all(Value::is_null));
        return meant
            && (is_null.is_some() && asks_nothing
                || other.is_some_and(|other| holds(fixture, relation.target, other, &given)));
    }
    let relation = table.to_many(name).unwrap_or_else(|| panic!("{name} is unknown"));
    let others: Vec<_> =
        fixture.live(relation.target).filter(|other| other[relation.holder] == row["id"]).collect();
    let passes =
        |filter: &Value| others.iter().filter(|other| holds(fixture, relation.target, other, filter)).count();
    given.as_object().unwrap().iter().filter(|(_, given)| !given.is_null()).all(|(quantity, given)| {
        match quantity.as_str() {
            "some" => passes(given) > 0,
            "none" => passes(given) == 0,
            "every" => passes(given) == others.len(),
            "count" => {
                let mut operators = given.as_object().unwrap().iter();
                operators.all(|(operator, operand)| {
                    compares(Kind::Integer, &json!(others.len()), operator, operand)
                })
            }
            _ => panic!("{quantity} is unknown"),
        }
    })
}

fn compares(kind: Kind, value: &Value, operator: &str, operand: &Value) -> bool {
    match kind {
        Kind::Texts | Kind::Choices(_) => return has(&texts(value), operator, operand),
        Kind::Parts(part) => {
            let parts = value.as_array().unwrap();
            let matches = |one: &&Value| {
                let mut conditions = operand.as_object().unwrap().iter();
                conditions.all(|(field, given)| {
                    assert!(part.fields.contains(&field.as_str()), "{field}");
                    let mut operators = given.as_object().unwrap().iter();
                    operators.all(|(operator, operand)| compares(Kind::Text, &one[field], operator, operand))
                })
            };
            return match operator {
                "some" => parts.iter().any(|one| matches(&one)),
                "none" => !parts.iter().any(|one| matches(&one)),
                _ => json!(parts.is_empty()) == *operand,
            };
        }
        Kind::Json => return contains(value, operand),
        _ => {}
    }
    let is = cell(kind, value);
    let among = || operand.as_array().unwrap().iter().any(|one| cell(kind, one) == is);
    let ordered = || if is == Cell::Null { None } else { Some(is.cmp(&cell(kind, operand))) };
    let spelt = |test: fn(&str, &str) -> bool| {
        let lower = |value: &Value| value.as_str().map(str::to_lowercase);
        lower(value).zip(lower(operand)).is_some_and(|(value, operand)| test(&value, &operand))
    };
    match operator {
        "eq" => ordered() == Some(Ordering::Equal),
        "ne" => ordered() != Some(Ordering::Equal),
        "in" => among(),
        "notIn" => !among(),
        "gt" => ordered() == Some(Ordering::Greater),
        "gte" => ordered().is_some_and(Ordering::is_ge),
        "lt" => ordered() == Some(Ordering::Less),
        "lte" => ordered().is_some_and(Ordering::is_le),
        "isNull" => json!(is == Cell::Null) == *operand,
        "eqIgnoreCase" => spelt(|value, operand| value == operand),
        "contains" => spelt(|value, operand| value.contains(operand)),
        "startsWith" => spelt(|value, operand| value.starts_with(operand)),
        "endsWith" => spelt(|value, operand| value.ends_with(operand)),
        _ => panic!("{operator} is unknown"),
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn has(list: &[&str], operator: &str, operand: &Value) -> bool {
    match operator {
        "has" => list.contains(&operand.as_str().unwrap()),
        "hasAny" => texts(operand).iter().any(|text| list.contains(text)),
        "hasAll" => texts(operand).iter().all(|text| list.contains(text)),
        "isEmpty" => json!(list.is_empty()) == *operand,
        _ => panic!("{operator} is unknown"),
    }
}

/// Whether JSON contains JSON, as PostgreSQL's `@>` has it: objects and lists contain what has fewer
/// of their members.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// A value in its direction, behind whether it is among the later ones for being null or not.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Directed {
    Asc(bool, Cell),
    Desc(bool, Reverse<Cell>),
}

fn directed(cell: Cell, direction: &Value) -> Directed {
    let direction = direction.as_str().unwrap();
    let is_late = (cell == Cell::Null) != direction.ends_with("_NULLS_FIRST");
    match direction.starts_with("ASC") {
        true => Directed::Asc(is_late, cell),
        false => Directed::Desc(is_late, Reverse(cell)),
    }
}

/// All rows in an order, deleted ones among them. Without one, the newest come first.
pub(super) fn sorted<'w>(fixture: &'w Fixture, table: &Table, order: &[Value]) -> Vec<&'w Row> {
    let newest = [json!({ "createdAt": "DESC" })];
    let order = if order.is_empty() { &newest } else { order };
    // Ties are broken by the id, in the direction of the last key.
    let (_, mut last) = single(order.last().unwrap());
    if last.is_object() {
        last = single(last).1;
    }
    let key = |row: &Row| -> Vec<Directed> {
        let own = order.iter().map(single).map(|(name, given)| match table.to_one(name) {
            Some(relation) => {
                let (field, direction) = single(given);
                let related = fixture.find(relation.target, &row[relation.holder]);
                let value = related.map_or(&Value::Null, |related| &related[field]);
                directed(cell(relation.target.kind(field).unwrap(), value), direction)
            }
            None => directed(cell(table.kind(name).unwrap(), &row[name]), given),
        });
        own.chain([directed(cell(Kind::Id, &row["id"]), last)]).collect()
    };
    let mut rows: Vec<_> = fixture.rows(table).iter().collect();
    rows.sort_by_cached_key(|row| key(row));
    rows
}

fn single(key: &Value) -> (&str, &Value) {
    let (name, given) = key.as_object().unwrap().iter().next().unwrap();
    (name, given)
}
