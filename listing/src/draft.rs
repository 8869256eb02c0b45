//! An entity as clients give it, before it is written.

use diesel::Column;
use tenancy::{ErrorCode, Failure, UserError};
use uuid::Uuid;

use crate::{any::AnyEntity, csv::import::CsvRow, field::Field, sql::change::Written, value::Value};

/// An entity as clients give it, before it is written: the values of its columns, read and checked,
/// and what is wrong with them.
#[derive(Clone)]
pub struct Draft {
    pub(crate) id: Uuid,
    pub(crate) entity: &'static AnyEntity,
    pub(crate) values: Vec<(&'static Field, Value)>,
    /// The row as it is, if this is a change and its rules look at it.
    pub(crate) current: Option<Vec<(&'static Field, Value)>>,
    /// Whether it is a new row.
    pub(crate) is_new: bool,
    pub(crate) errors: Vec<UserError>,
    pub(crate) csv: Option<CsvRow>,
}

impl Draft {
    /// The id that the new entity will have, or that the changed one has.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether it is a new row, or else a change of one.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The value given for this column; nothing if it stays as it is.
    pub fn get<C: Column>(&self, _: C) -> Option<&Value> {
        value_of(&self.values, C::NAME)
    }

    /// The value that this column will have: the given one, else that of the row as it is. Nothing if
    /// the change does not read the row ([`crate::Editable::READS_CURRENT`]). It may be the id of a row that
    /// the session does not see: an error must not tell of it.
    pub fn value<C: Column>(&self, column: C) -> Option<&Value> {
        self.get(column).or_else(|| value_of(self.current.as_ref()?, C::NAME))
    }

    /// Whether the column will hold a value.
    pub fn has<C: Column>(&self, column: C) -> bool {
        self.value(column).is_some_and(|value| *value != Value::Null)
    }

    /// The text that the column will hold, if it is known.
    pub fn text<C: Column>(&self, column: C) -> Option<&str> {
        match self.value(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets what stands in the column of a field, whether clients can give it or not.
    pub fn set<C: Column>(&mut self, _: C, value: impl Into<Value>) {
        let Some(field) = self.entity.fields().find(|field| field.shape.column() == Some(C::NAME)) else {
            let message = format!("The column {:?} is not in the table of fields.", C::NAME);
            return self.wrong(ErrorCode::Invalid, "", message);
        };
        self.values.retain(|(known, _)| known.shape.column() != Some(C::NAME));
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

    /// The columns and their values.
    pub(crate) fn values(self) -> Vec<(Written, Value)> {
        let written = |(field, value): (&Field, Value)| Some((field.shape.written()?, value));
        self.values.into_iter().filter_map(written).collect()
    }

    /// The ids that its columns hold.
    pub(crate) fn references(&self) -> impl Iterator<Item = Uuid> {
        self.values.iter().filter_map(|(_, value)| if let Value::Uuid(id) = value { Some(*id) } else { None })
    }

    /// The ids that stand in columns of relations, with the fields that hold them.
    pub(crate) fn reference(&self, column: &str) -> Option<(&'static str, Uuid)> {
        self.values.iter().find_map(|(field, value)| match value {
            Value::Uuid(id) if field.shape.column() == Some(column) => Some((field.shape.name, *id)),
            _ => None,
        })
    }
}

fn value_of<'v>(values: &'v [(&'static Field, Value)], column: &str) -> Option<&'v Value> {
    values.iter().find(|(field, _)| field.shape.column() == Some(column)).map(|(_, value)| value)
}
