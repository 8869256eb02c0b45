use async_graphql::{InputType, OutputType, resolver_utils::EnumType};
use diesel::{Column, sql_types as st};

use crate::{
    kind::{Choice, ColumnKind, Kind},
    rule::Rule,
    scalar::id::Identified,
    value::Value,
};

/// One field of an entity: what lists filter, order and group by, what mutations and imports take,
/// what exports write. Its description is that of the entity's field of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(crate) shape: Shape,
    pub(crate) given: Option<Given>,
    pub(crate) measured: bool,
}

/// A field without its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// As GraphQL calls it.
    pub(crate) name: &'static str,
    /// As the table calls it.
    pub(crate) column: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// What clients may give for a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) rule: Rule,
    pub(crate) presence: Presence,
    /// Given once, when the entity is made.
    pub(crate) fixed: bool,
}

/// What happens without a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    /// There must be one.
    Required,
    /// The field is empty then.
    Optional,
    /// The field has this value then, and is never empty.
    Default(fn() -> Value),
}

/// A column that holds an id.
pub trait IdColumn {
    /// Whether it may be null.
    const NULLABLE: bool;
}

impl IdColumn for st::Uuid {
    const NULLABLE: bool = false;
}

impl IdColumn for st::Nullable<st::Uuid> {
    const NULLABLE: bool = true;
}

impl Field {
    const fn of(name: &'static str, column: &'static str, kind: Kind, nullable: bool) -> Self {
        assert!(is_camel_case_of(name, column), "a field has the name of its column in camel case");
        Self { shape: Shape { name, column, kind, nullable }, given: None, measured: kind.is_number() }
    }

    /// The entity's own id.
    pub(crate) const fn own_id(prefix: &'static str) -> Self {
        Self::of("id", "id", Kind::Id(prefix), false)
    }

    /// The field `name`, stored in this column.
    pub const fn new<C>(name: &'static str, _: C) -> Self
    where
        C: Column + Copy,
        C::SqlType: ColumnKind,
    {
        Self::of(name, C::NAME, C::SqlType::KIND, C::SqlType::NULLABLE)
    }

    /// A field that holds a name of the enum `T`.
    pub const fn choice<T, C>(name: &'static str, _: C) -> Self
    where
        T: EnumType + InputType + OutputType,
        C: Column + Copy,
        C::SqlType: ColumnKind,
    {
        Self::of(name, C::NAME, Kind::Choice(Choice::of::<T>()), C::SqlType::NULLABLE)
    }

    /// A field that holds the id of an `R`.
    pub const fn id<R, C>(name: &'static str, _: C) -> Self
    where
        R: Identified,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        Self::of(name, C::NAME, Kind::Id(R::PREFIX), C::SqlType::NULLABLE)
    }

    /// A field that holds a list of parts as JSON, each known by what stands under `key`.
    pub const fn parts<C>(name: &'static str, _: C, key: &'static str) -> Self
    where
        C: Column<SqlType = st::Jsonb> + Copy,
    {
        Self::of(name, C::NAME, Kind::Parts(key), false)
    }

    const fn given(mut self, rule: Rule, presence: Presence) -> Self {
        assert!(rule.suits(self.shape.kind), "the rule is none for values of this kind");
        self.given = Some(Given { rule, presence, fixed: false });
        self
    }

    /// Clients must give it.
    #[must_use]
    pub const fn required(self, rule: Rule) -> Self {
        self.given(rule, Presence::Required)
    }

    /// Clients may give it; without a value it is empty.
    #[must_use]
    pub const fn optional(self, rule: Rule) -> Self {
        self.given(rule, Presence::Optional)
    }

    /// Clients may give it; without a value it has this one.
    #[must_use]
    pub const fn or(self, rule: Rule, value: fn() -> Value) -> Self {
        self.given(rule, Presence::Default(value))
    }

    /// It is given when the entity is made and never changes.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        if let Some(given) = &mut self.given {
            given.fixed = true;
        }
        self
    }

    /// It is a number that nobody adds up.
    #[must_use]
    pub const fn unmeasured(mut self) -> Self {
        self.measured = false;
        self
    }
}

/// The fields that every entity ends with.
pub(crate) const STANDARD: &[Field] = &[
    Field::of("createdAt", "created_at", Kind::Instant, false),
    Field::of("updatedAt", "updated_at", Kind::Instant, false),
    Field::of("revision", "revision", Kind::Integer, false).unmeasured(),
    Field::of("deletedAt", "deleted_at", Kind::Instant, true),
];

/// Whether a name is that of a column, with capitals instead of underscores.
const fn is_camel_case_of(name: &str, column: &str) -> bool {
    let (mut name, mut column) = (name.as_bytes(), column.as_bytes());
    loop {
        match (name, column) {
            ([], []) => return true,
            ([one, rest @ ..], [b'_', other, others @ ..]) if *one == other.to_ascii_uppercase() => {
                (name, column) = (rest, others);
            }
            ([one, rest @ ..], [other, others @ ..]) if *one == *other => (name, column) = (rest, others),
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_camel_case_of;

    #[test]
    fn names_are_those_of_columns_in_camel_case() {
        assert!(is_camel_case_of("id", "id"));
        assert!(is_camel_case_of("clientPrice", "client_price"));
        assert!(!is_camel_case_of("ourCost", "client_price"));
        assert!(!is_camel_case_of("clientprice", "client_price"));
        assert!(!is_camel_case_of("client", "client_price"));
        assert!(!is_camel_case_of("clientPrices", "client_price"));
    }
}
