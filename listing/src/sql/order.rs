//! Orders of rows: their keys, and the relations that keys are reached by.

use async_graphql::Enum;
use diesel::QueryResult;

use crate::sql::{column::Column, condition::Path, render::Out};

/// Which way a list runs.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(name = "OrderDirection")]
pub enum Direction {
    /// Ascending; null values come last.
    Asc,
    /// Descending; null values come last.
    Desc,
    /// Ascending; null values come first.
    AscNullsFirst,
    /// Descending; null values come first.
    DescNullsFirst,
}

impl Direction {
    /// As SQL says it.
    pub(crate) fn sql(self, nullable: bool) -> &'static str {
        match (self, nullable) {
            (Self::Asc, true) => " ASC NULLS LAST",
            (Self::AscNullsFirst, true) => " ASC NULLS FIRST",
            (Self::Desc, true) => " DESC NULLS LAST",
            (Self::DescNullsFirst, true) => " DESC NULLS FIRST",
            (Self::Asc | Self::AscNullsFirst, false) => " ASC",
            (Self::Desc | Self::DescNullsFirst, false) => " DESC",
        }
    }

    /// The same order, or read from its end.
    pub(crate) fn reversed(self, yes: bool) -> Self {
        match (self, yes) {
            (Self::Asc, true) => Self::DescNullsFirst,
            (Self::DescNullsFirst, true) => Self::Asc,
            (Self::Desc, true) => Self::AscNullsFirst,
            (Self::AscNullsFirst, true) => Self::Desc,
            (direction, false) => direction,
        }
    }

    /// Whether values become greater.
    pub(crate) fn rises(self) -> bool {
        matches!(self, Self::Asc | Self::AscNullsFirst)
    }

    /// Whether null values come after all others.
    pub(crate) fn ends_with_nulls(self) -> bool {
        matches!(self, Self::Asc | Self::Desc)
    }
}

/// One key of an order, erased: what SQL and cursors need of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) column: Column,
    /// The relation whose field it is, if it is none of the rows' own.
    pub(crate) via: Option<Via>,
    pub(crate) direction: Direction,
}

/// A relation to one whose table is joined.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Via {
    pub(crate) relation: &'static str,
    /// The GraphQL type at the other end.
    pub(crate) target: &'static str,
    pub(crate) path: Path,
}

impl Via {
    /// What a statement calls the joined table.
    pub(crate) fn alias(&self) -> String {
        format!("via_{}", self.relation)
    }

    /// Joins the related row to those of `table`, if it may be reached.
    pub(crate) fn join<'b>(&'b self, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let on = (self.path.theirs, table, self.path.ours);
        self.path.table.left_join(&self.alias(), on, out)
    }
}

impl Key {
    /// The last key of every order, so that no two rows are equal.
    pub(crate) fn id(direction: Direction) -> Self {
        Self { column: Column::id(""), via: None, direction }
    }

    pub(crate) fn is_nullable(&self) -> bool {
        self.column.nullable || self.via.is_some()
    }

    /// As orders and cursors name it: `name`, `company.name`.
    pub(crate) fn name(&self) -> String {
        match &self.via {
            Some(via) => format!("{}.{}", via.relation, self.column.name),
            None => self.column.name.to_owned(),
        }
    }

    /// Its column, of the rows that the statement calls `table`.
    pub(crate) fn render<'b>(&'b self, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        match &self.via {
            Some(via) => self.column.term.render_joined(&via.alias(), out),
            None => self.column.term.render(table, 1, out),
        }
    }
}
