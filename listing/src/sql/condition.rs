//! Which rows a statement is about, as plain data; `render` writes it as SQL.

use uuid::Uuid;

use crate::{sql::list::List, value::Value};

/// A condition on the rows of one table, erased: plain data that renders as SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All of these hold; true if there are none.
    All(Vec<Condition>),
    /// One of these holds; false if there are none.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// The column compares so with this value. An empty column compares with nothing, and differs
    /// from everything.
    Is(&'static str, Comparison, Value),
    /// The column holds one of these values.
    OneOf(&'static str, List),
    /// The column is empty.
    Empty(&'static str),
    /// The text of the column matches this pattern, whatever the case of its letters.
    Like(&'static str, String),
    /// The list or the JSON of the column contains all of this.
    Contains(&'static str, Value),
    /// The list of texts of the column has one of these.
    Overlaps(&'static str, Vec<String>),
    /// A related row is there and meets a condition.
    Related(Path, Box<Condition>),
    /// So many related rows are there.
    Counted(Path, Comparison, i64),
    /// The column equals the id of the parent in a statement for many parents.
    OfParent(&'static str),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Different, or one of them empty.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

/// From the rows of one table to those of another: where our column equals theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub(crate) table: Table,
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
}

/// The rows of a table that a statement reaches. Only `render` reads its name, and with it always
/// writes which rows are left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Table {
    pub(in crate::sql) name: &'static str,
    pub(in crate::sql) rows: Rows,
}

/// Whether a statement reaches soft-deleted rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::sql) enum Rows {
    /// Those that are not deleted.
    Live,
    /// Those that are deleted.
    Deleted,
    /// Both.
    All,
}

impl Table {
    /// The rows of this table that are not deleted.
    pub(crate) fn live(name: &'static str) -> Self {
        Self { name, rows: Rows::Live }
    }

    /// The same table with its deleted rows.
    pub(crate) fn with_deleted(self) -> Self {
        Self { rows: Rows::All, ..self }
    }

    /// The deleted rows of the same table alone.
    pub(crate) fn only_deleted(self) -> Self {
        Self { rows: Rows::Deleted, ..self }
    }
}

impl Comparison {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " IS DISTINCT FROM ",
            Self::Gt => " > ",
            Self::Gte => " >= ",
            Self::Lt => " < ",
            Self::Lte => " <= ",
        }
    }

    pub(in crate::sql) fn holds(self, one: i64, other: i64) -> bool {
        match self {
            Self::Eq => one == other,
            Self::Ne => one != other,
            Self::Gt => one > other,
            Self::Gte => one >= other,
            Self::Lt => one < other,
            Self::Lte => one <= other,
        }
    }
}

impl Condition {
    /// The row has this id.
    pub(crate) fn id(id: Uuid) -> Self {
        Self::Is("id", Comparison::Eq, Value::Uuid(id))
    }

    /// The row has this revision.
    pub(crate) fn revision(revision: i32) -> Self {
        Self::Is("revision", Comparison::Eq, Value::Integer(revision))
    }

    /// The row has one of these ids.
    pub(crate) fn ids(ids: Vec<Uuid>) -> Self {
        match ids.as_slice() {
            [id] => Self::id(*id),
            _ => Self::OneOf("id", List::Uuids(ids)),
        }
    }

    /// What this says of the row's id, said of a column that holds it. None if it says nothing.
    pub(crate) fn of_id_in(&self, column: &'static str) -> Option<Self> {
        match self {
            Self::All(all) => all.iter().find_map(|condition| condition.of_id_in(column)),
            Self::Is("id", Comparison::Eq, id) => Some(Self::Is(column, Comparison::Eq, id.clone())),
            Self::OneOf("id", ids) => Some(Self::OneOf(column, ids.clone())),
            _ => None,
        }
    }
}
