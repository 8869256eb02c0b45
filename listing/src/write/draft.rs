use async_graphql::{Name, Value as GraphQLValue, indexmap::IndexMap};
use diesel::Column;
use tenancy::{ErrorCode, Failure, UserError};
use uuid::Uuid;

use crate::{
    Checks, Editable, Field, Kind, Rule, Value,
    csv::import::CsvRow,
    field::{Given, Need, Shape},
};

/// An entity as clients give it, before it is written: the values of its columns, read and checked,
/// and what is wrong with them.
pub struct Draft {
    id: Uuid,
    /// All fields of the entity.
    fields: &'static [Field],
    values: Vec<(&'static Field, Value)>,
    errors: Vec<UserError>,
    csv: Option<CsvRow>,
}

type Object = IndexMap<Name, GraphQLValue>;

impl Draft {
    /// A new entity: every field that can be given has a value, if only the one it has by itself.
    pub(crate) fn new<E: Editable>(mut given: Object) -> Self {
        let mut checks = Checks::default();
        let mut draft = Self::blank::<E>();
        for (field, rules) in fields::<E>() {
            let given = given.swap_remove(field.shape.name).filter(|given| *given != GraphQLValue::Null);
            let value = given.and_then(|given| read(field.shape, rules.rule, given, &mut checks));
            draft.fill(field, rules, value, &mut checks);
        }
        draft.checked::<E>(checks)
    }

    /// A new entity from a row of a CSV.
    pub(crate) fn from_csv<E: Editable>(row: CsvRow) -> Self {
        let mut checks = Checks::default();
        let mut draft = Self::blank::<E>();
        for (field, rules) in fields::<E>() {
            let value = row.get(field.shape.name).and_then(|cell| {
                let value = field.shape.kind.read_text(cell);
                match (value, rules.rule) {
                    (Ok(Value::Json(json)), Rule::Parts(parts)) => {
                        let given = GraphQLValue::from_json(json).unwrap_or_default();
                        (parts.read)(field.shape.name, given, &mut checks)
                    }
                    (Ok(value), rule) => Some(checked(field.shape, rule, value, &mut checks)),
                    (Err(message), _) => {
                        checks.invalid(field.shape.name, message);
                        None
                    }
                }
            });
            draft.fill(field, rules, value, &mut checks);
        }
        E::from_csv(&row, &mut draft, &mut checks);
        draft.csv = Some(row);
        draft.checked::<E>(checks)
    }

    /// A change: only the fields that were given.
    pub(crate) fn change<E: Editable>(id: Uuid, mut given: Object) -> Self {
        let mut checks = Checks::default();
        let mut draft = Self { id, ..Self::blank::<E>() };
        for (field, rules) in fields::<E>().filter(|(_, rules)| !rules.fixed) {
            let Some(given) = given.swap_remove(field.shape.name) else { continue };
            let value = match given {
                GraphQLValue::Null => None,
                given => read(field.shape, rules.rule, given, &mut checks),
            };
            // A default fills what was never given; it does not replace what was taken away.
            let rules = match rules.need {
                Need::Default(_) => Given { need: Need::Required, ..rules },
                _ => rules,
            };
            draft.fill(field, rules, value, &mut checks);
        }
        draft.checked::<E>(checks)
    }

    fn blank<E: Editable>() -> Self {
        Self { id: Uuid::now_v7(), fields: E::FIELDS, values: vec![], errors: vec![], csv: None }
    }

    fn fill(&mut self, field: &'static Field, rules: Given, value: Option<Value>, checks: &mut Checks) {
        let name = field.shape.name;
        let value = match (value, rules.need) {
            (Some(value), _) if value != Value::Null => value,
            (_, Need::Required) => {
                // Whatever was wrong with it has been said.
                if !checks.mentions(name) {
                    checks.invalid(name, "This must not be empty.");
                }
                return;
            }
            (_, Need::Optional) => field.shape.empty(),
            (_, Need::Default(value)) => value(),
        };
        self.values.push((field, value));
    }

    fn checked<E: Editable>(mut self, mut checks: Checks) -> Self {
        E::check(&self, &mut checks);
        self.errors = checks.errors();
        self
    }

    /// The id that the new entity will have, or that the changed one has.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// What stands in this column; nothing if that stays as it is.
    pub fn get<C: Column>(&self, _: C) -> Option<&Value> {
        self.values.iter().find(|(field, _)| field.shape.column == C::NAME).map(|(_, value)| value)
    }

    /// Whether something stands in this column.
    pub fn has<C: Column>(&self, column: C) -> bool {
        self.get(column).is_some_and(|value| *value != Value::Null)
    }

    /// The text in this column, if there is one.
    pub fn text<C: Column>(&self, column: C) -> Option<&str> {
        match self.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets what stands in the column of a field, whether clients can give it or not.
    pub fn set<C: Column>(&mut self, _: C, value: impl Into<Value>) {
        let Some(field) = self.fields.iter().find(|field| field.shape.column == C::NAME) else {
            let message = format!("The column {:?} is not in the table of fields.", C::NAME);
            return self.wrong(ErrorCode::Invalid, "", message);
        };
        self.values.retain(|(known, _)| known.shape.column != C::NAME);
        self.values.push((field, value.into()));
    }

    /// The row of the CSV that this is made from.
    pub fn csv(&self) -> Option<&CsvRow> {
        self.csv.as_ref()
    }

    /// Something is wrong with this field.
    pub fn wrong(&mut self, code: ErrorCode, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, field, message));
    }

    /// Whether nothing is wrong with it so far.
    pub fn is_sound(&self) -> bool {
        self.errors.is_empty()
    }

    /// What is wrong with it.
    pub(crate) fn errors(&self) -> &[UserError] {
        &self.errors
    }

    /// Passes if nothing is wrong with it.
    pub(crate) fn accepted(&self) -> Result<(), Failure> {
        if self.errors.is_empty() { Ok(()) } else { Err(Failure::User(self.errors.clone())) }
    }

    /// The values of these columns, and what they are of.
    pub(crate) fn values(self) -> Vec<(Shape, Value)> {
        self.values.into_iter().map(|(field, value)| (field.shape, value)).collect()
    }

    /// The ids that stand in columns of relations, with the fields that hold them.
    pub(crate) fn reference(&self, column: &str) -> Option<(&'static str, Uuid)> {
        self.values.iter().find_map(|(field, value)| match value {
            Value::Uuid(id) if field.shape.column == column => Some((field.shape.name, *id)),
            _ => None,
        })
    }
}

/// The fields that clients can give.
pub(crate) fn fields<E: Editable>() -> impl Iterator<Item = (&'static Field, Given)> {
    E::FIELDS.iter().filter_map(|field| Some((field, field.given?)))
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
            Kind::Texts => Value::Texts(vec![]),
            Kind::Parts(_) => Value::Json(serde_json::json!([])),
            Kind::Json if !self.nullable => Value::Json(serde_json::json!({})),
            _ => Value::Null,
        }
    }
}
