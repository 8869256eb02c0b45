//! `deleted`: whether a list is about rows that are deleted, not deleted, or both.

use async_graphql::{Context, Enum, InputType, OutputType, resolver_utils::EnumType};
use tenancy::Failure;

use crate::{
    any::AnyEntity,
    context::argument,
    registry::{self, Registry},
    sql::condition::Table,
};

/// Which rows are meant, by their deletion.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deleted {
    /// Only rows that are not deleted.
    #[default]
    Exclude,
    /// All rows, deleted or not.
    Include,
    /// Only deleted rows.
    Only,
}

impl Deleted {
    /// The argument of the field that is being resolved; the default where the field has none.
    ///
    /// # Errors
    /// BAD_REQUEST for what is none of the names.
    pub(crate) fn of(ctx: &Context<'_>) -> Result<Self, Failure> {
        Ok(argument(ctx, ARGUMENT)?.unwrap_or_default())
    }

    /// The value of this name, as GraphQL spells it.
    pub fn named(name: &str) -> Option<Self> {
        Self::items().iter().find(|item| item.name == name).map(|item| item.value)
    }

    /// Those of a table's rows that are meant.
    pub(crate) fn rows(self, table: Table) -> Table {
        match self {
            Self::Exclude => table,
            Self::Include => table.with_deleted(),
            Self::Only => table.only_deleted(),
        }
    }
}

const ARGUMENT: &str = "deleted";

/// The argument of everything that reads these entities, if they can be deleted.
pub(crate) fn describe(entity: &AnyEntity, registry: &mut Registry) -> Option<registry::Input> {
    if !entity.life.is_deletable() {
        return None;
    }
    <Deleted as InputType>::create_type_info(registry);
    let ty = format!("{}!", <Deleted as OutputType>::type_name());
    let about = "Whether deleted rows are left out, included, or the only ones.";
    Some(registry::defaulted(registry::input(ARGUMENT, &ty, about), "EXCLUDE"))
}
