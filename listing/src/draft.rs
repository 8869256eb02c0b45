//! An entity as clients give it, before it is written.

use diesel::Column;
use tenancy::{ErrorCode, Failure, UserError};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    csv::import::CsvRow,
    field::{Field, Shape},
    value::Value,
};

/// An entity as clients give it, before it is written: the values of its columns, read and checked,
/// and what is wrong with them.
pub struct Draft {
    pub(crate) id: Uuid,
    pub(crate) entity: &'static AnyEntity,
    pub(crate) values: Vec<(&'static Field, Value)>,
    pub(crate) errors: Vec<UserError>,
    pub(crate) csv: Option<CsvRow>,
}

impl Draft {
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
        let Some(field) = self.entity.fields().find(|field| field.shape.column == C::NAME) else {
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
