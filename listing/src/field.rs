use std::hash::{Hash, Hasher};

use async_graphql::{InputType, OutputType, resolver_utils::EnumType};
use diesel::{Column, sql_types as st};

use crate::{
    kind::{Choice, ColumnKind, Kind, Parts},
    rule::{Part, Rule},
    scalar::id::Identified,
    sql::{change::Written, condition::Condition},
    value::Value,
};

/// One field of an entity: what lists filter, order and group by, what mutations and imports take,
/// what exports write. Its description is that of the entity's field of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(crate) shape: Shape,
    pub(crate) given: Option<Given>,
    pub(crate) measured: bool,
    /// What it is for, if it is computed; the entity's GraphQL object describes all others.
    pub(crate) about: &'static str,
    /// What an export has of it, unless its columns are named.
    pub(crate) exported: Exported,
    /// What lists are ordered by in its place, if that is something else.
    pub(crate) sorted_by: Option<Shape>,
}

/// What an export has of a field, unless its columns are named.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exported {
    /// Its values.
    Values,
    /// Nothing: another field says the same.
    Nothing,
    /// Another column, which means the same in another organisation: `company.name`.
    As(&'static str),
}

/// A field without its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// As GraphQL calls it.
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// Where the values of a field come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A column of the table.
    Column(&'static str),
    /// An SQL expression over the row's own columns, in which `{row}` is the row.
    Expression(&'static str),
    /// How many rows of a relation to many meet a condition.
    Count(&'static str, CountCondition),
}

/// Which related rows count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountCondition(pub(crate) fn() -> Condition);

// Two conditions that are equal count alike.
impl PartialEq for CountCondition {
    fn eq(&self, other: &Self) -> bool {
        (self.0)() == (other.0)()
    }
}

impl Eq for CountCondition {}

impl Hash for CountCondition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0)().hash(state);
    }
}

impl Shape {
    /// The column as it is written; nothing for a computed field.
    pub(crate) fn written(&self) -> Option<Written> {
        Some(Written { field: self.name, column: self.column()?, kind: self.kind })
    }

    /// The column that stores it; nothing for a computed field.
    pub(crate) const fn column(&self) -> Option<&'static str> {
        if let Source::Column(column) = self.source { Some(column) } else { None }
    }
}

/// What clients may give for a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) rule: Rule,
    pub(crate) presence: Presence,
    /// Given once, when the entity is made.
    pub(crate) fixed: bool,
    /// What a row of a CSV has without a value.
    pub(crate) in_csv: Option<fn() -> Value>,
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
        Self::computed(name, Source::Column(column), kind, nullable)
    }

    const fn computed(name: &'static str, source: Source, kind: Kind, nullable: bool) -> Self {
        let shape = Shape { name, source, kind, nullable };
        Self {
            shape,
            given: None,
            measured: kind.is_number(),
            about: "",
            exported: Exported::Values,
            sorted_by: None,
        }
    }

    /// The entity's own id.
    pub(crate) const fn own_id(prefix: &'static str) -> Self {
        Self::of("id", "id", Kind::Id(prefix), false)
    }

    /// The id of a relation whose column is not called so: `createdById` in `created_by`.
    pub(crate) const fn reference(name: &'static str, column: &'static str, prefix: &'static str) -> Self {
        Self::computed(name, Source::Column(column), Kind::Id(prefix), true)
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

    /// A field that holds several names of the enum `T`.
    pub const fn choices<T, C>(name: &'static str, _: C) -> Self
    where
        T: EnumType + InputType + OutputType,
        C: Column<SqlType = st::Array<st::Text>> + Copy,
    {
        Self::of(name, C::NAME, Kind::Choices(Choice::of::<T>()), false)
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

    /// A field that holds a list of parts as JSON.
    pub const fn parts<P: Part, C>(name: &'static str, _: C) -> Self
    where
        C: Column<SqlType = st::Jsonb> + Copy,
    {
        let parts = Parts { name: P::NAME, key: P::KEY, fields: P::FIELDS };
        Self::of(name, C::NAME, Kind::Parts(parts), false)
    }

    /// A computed field of the SQL type `T`: an expression over the row's own columns, which are written
    /// as `{row}.column`. It may use `service_now()`, `organisation_today()` and the acting user's id,
    /// and must not fail whatever the row holds.
    pub const fn expression<T: ColumnKind>(
        name: &'static str,
        expression: &'static str,
        about: &'static str,
    ) -> Self {
        let field = Self::computed(name, Source::Expression(expression), T::KIND, T::NULLABLE);
        Self { about, ..field }
    }

    /// As [`Field::expression`], whose values are names of the enum `T` and never null.
    pub const fn choice_expression<T>(
        name: &'static str,
        expression: &'static str,
        about: &'static str,
    ) -> Self
    where
        T: EnumType + InputType + OutputType,
    {
        let kind = Kind::Choice(Choice::of::<T>());
        Self { about, ..Self::computed(name, Source::Expression(expression), kind, false) }
    }

    /// How many rows of this relation to many there are that meet a condition, and that the session
    /// sees.
    pub const fn count(
        name: &'static str,
        relation: &'static str,
        condition: fn() -> Condition,
        about: &'static str,
    ) -> Self {
        let source = Source::Count(relation, CountCondition(condition));
        Self { about, ..Self::computed(name, source, Kind::Integer, false) }
    }

    /// Lists are ordered by this column of the row instead: the rank of a priority.
    #[must_use]
    pub const fn sorted_by<C>(mut self, _: C) -> Self
    where
        C: Column + Copy,
        C::SqlType: ColumnKind,
    {
        let source = Source::Column(C::NAME);
        let (kind, nullable) = (C::SqlType::KIND, C::SqlType::NULLABLE);
        self.sorted_by = Some(Shape { name: self.shape.name, source, kind, nullable });
        self
    }

    const fn given(mut self, rule: Rule, presence: Presence) -> Self {
        assert!(rule.suits(self.shape.kind), "the rule is not one for values of this kind");
        assert!(matches!(self.shape.source, Source::Column(_)), "clients do not give computed fields");
        self.given = Some(Given { rule, presence, fixed: false, in_csv: None });
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

    /// A CSV may leave it out: a new row then has this value.
    #[must_use]
    pub const fn or_in_csv(mut self, value: fn() -> Value) -> Self {
        if let Some(given) = &mut self.given {
            given.in_csv = Some(value);
        }
        self
    }

    /// It repeats a part of another field, as `email` does of `emails`: an export leaves it out unless
    /// it is named.
    #[must_use]
    pub const fn repeats(mut self) -> Self {
        self.exported = Exported::Nothing;
        self
    }

    /// An export has this column in its place unless it is named: `company.name` for an id, which means
    /// nothing in another organisation.
    #[must_use]
    pub const fn exported_as(mut self, column: &'static str) -> Self {
        self.exported = Exported::As(column);
        self
    }

    /// Whether anybody counts or groups by it: not its own id, not the revision, no long text.
    pub(crate) fn has_figures(&self) -> bool {
        let is_long = matches!(self.given, Some(Given { rule: Rule::Lines(_), .. }));
        !is_long && !matches!(self.shape.name, "id" | "revision")
    }

    /// It is a number that nobody adds up.
    #[must_use]
    pub const fn unmeasured(mut self) -> Self {
        self.measured = false;
        self
    }
}

const CREATED_AT: Field = Field::of("createdAt", "created_at", Kind::Instant, false);
const UPDATED_AT: Field = Field::of("updatedAt", "updated_at", Kind::Instant, false);
const REVISION: Field = Field::of("revision", "revision", Kind::Integer, false).unmeasured();
const DELETED_AT: Field = Field::of("deletedAt", "deleted_at", Kind::Instant, true);

/// The fields that entities end with, by their [`crate::Life`].
pub(crate) const APPEND_ONLY: &[Field] = &[CREATED_AT];
pub(crate) const KEPT: &[Field] = &[CREATED_AT, UPDATED_AT, REVISION];
pub(crate) const DELETABLE: &[Field] = &[CREATED_AT, UPDATED_AT, REVISION, DELETED_AT];

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
