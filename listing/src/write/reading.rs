//! Reads what clients give of an entity: from an input, and from a row of a CSV. The entity's own rules
//! (`Editable::check`) come after.

use async_graphql::{Name, Value as GraphQLValue, indexmap::IndexMap};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    checks::Checks,
    csv::import::CsvRow,
    draft::Draft,
    field::{Field, Given, Presence, Shape},
    kind::Kind,
    rule::Rule,
    value::Value,
};

/// The fields of an input.
pub(crate) type Object = IndexMap<Name, GraphQLValue>;

/// The fields that clients can give.
pub(crate) fn fields(entity: &AnyEntity) -> impl Iterator<Item = (&'static Field, Given)> {
    entity.own.iter().filter_map(|field| Some((field, field.given?)))
}

/// A new row: every field that can be given has a value, its default if it has one.
pub(crate) fn new_row(entity: &'static AnyEntity, mut given: Object) -> (Draft, Checks) {
    let mut checks = Checks::default();
    let mut draft = blank(entity, None);
    for (field, rules) in fields(entity) {
        let given = given.swap_remove(field.shape.name).filter(|given| *given != GraphQLValue::Null);
        let value = given.and_then(|given| read(field.shape, rules.rule, given, &mut checks));
        fill(&mut draft, field, rules, value, &mut checks);
    }
    (draft, checks)
}

/// A new row from a row of a CSV.
pub(crate) fn csv_row(entity: &'static AnyEntity, row: &CsvRow) -> (Draft, Checks) {
    let mut checks = Checks::default();
    let mut draft = blank(entity, None);
    for (field, rules) in fields(entity) {
        let cell = row.get(field.shape.name);
        let value = match cell {
            Some(cell) => read_cell(field.shape, rules.rule, cell, &mut checks),
            None => rules.in_csv.map(|value| value()),
        };
        fill(&mut draft, field, rules, value, &mut checks);
    }
    (draft, checks)
}

/// A change from a row of a CSV: only the fields whose cells hold something.
pub(crate) fn csv_change(entity: &'static AnyEntity, id: Uuid, row: &CsvRow) -> (Draft, Checks) {
    let mut checks = Checks::default();
    let mut draft = blank(entity, Some(id));
    for (field, rules) in fields(entity).filter(|(_, rules)| !rules.fixed) {
        let Some(cell) = row.get(field.shape.name) else { continue };
        let value = read_cell(field.shape, rules.rule, cell, &mut checks);
        fill(&mut draft, field, rules, value, &mut checks);
    }
    (draft, checks)
}

/// A change: only the fields that were given.
pub(crate) fn change(entity: &'static AnyEntity, id: Uuid, mut given: Object) -> (Draft, Checks) {
    let mut checks = Checks::default();
    let mut draft = blank(entity, Some(id));
    for (field, rules) in fields(entity).filter(|(_, rules)| !rules.fixed) {
        let Some(given) = given.swap_remove(field.shape.name) else { continue };
        let value = match given {
            GraphQLValue::Null => None,
            given => read(field.shape, rules.rule, given, &mut checks),
        };
        // A default fills what was never given; it does not replace what was taken away.
        let rules = match rules.presence {
            Presence::Default(_) => Given { presence: Presence::Required, ..rules },
            _ => rules,
        };
        fill(&mut draft, field, rules, value, &mut checks);
    }
    (draft, checks)
}

/// Of the row with this id, or of a new one.
fn blank(entity: &'static AnyEntity, known: Option<Uuid>) -> Draft {
    let id = known.unwrap_or_else(Uuid::now_v7);
    let (values, errors) = (vec![], vec![]);
    Draft { id, entity, values, current: None, is_new: known.is_none(), errors, csv: None }
}

fn fill(draft: &mut Draft, field: &'static Field, rules: Given, value: Option<Value>, checks: &mut Checks) {
    let name = field.shape.name;
    let value = match (value, rules.presence) {
        (Some(value), _) if value != Value::Null => value,
        (_, Presence::Required) => {
            // Whatever was wrong with it has been said.
            if !checks.mentions(name) {
                checks.invalid(name, "This must not be empty.");
            }
            return;
        }
        (_, Presence::Optional) => field.shape.empty(),
        (_, Presence::Default(value)) => value(),
    };
    draft.values.push((field, value));
}

fn read_cell(shape: Shape, rule: Rule, cell: &str, checks: &mut Checks) -> Option<Value> {
    match (shape.kind.read_text(cell), rule) {
        (Ok(Value::Json(json)), Rule::Parts(parts)) => {
            let given = GraphQLValue::from_json(json).unwrap_or_default();
            (parts.read)(shape.name, given, checks)
        }
        (Ok(value), rule) => Some(checked(shape, rule, value, checks)),
        (Err(message), _) => {
            checks.invalid(shape.name, message);
            None
        }
    }
}

fn read(shape: Shape, rule: Rule, given: GraphQLValue, checks: &mut Checks) -> Option<Value> {
    if let Rule::Parts(parts) = rule {
        return (parts.read)(shape.name, given, checks);
    }
    match shape.kind.read(given) {
        Ok(value) => Some(checked(shape, rule, value, checks)),
        Err(message) => {
            checks.invalid(shape.name, message);
            None
        }
    }
}

fn checked(shape: Shape, rule: Rule, value: Value, checks: &mut Checks) -> Value {
    let value = rule.tidy(value);
    rule.check(shape.name, &value, checks);
    value
}

impl Shape {
    /// What the column holds when nothing is given.
    fn empty(self) -> Value {
        match self.kind {
            Kind::Texts | Kind::Choices(_) => Value::Texts(vec![]),
            Kind::Parts(_) => Value::Json(serde_json::json!([])),
            Kind::Json if !self.nullable => Value::Json(serde_json::json!({})),
            _ => Value::Null,
        }
    }
}
