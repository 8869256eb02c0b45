use async_graphql::{ContainerType, OutputType};
use diesel::Column;
use tenancy::{Permission, Session};
use uuid::Uuid;

use crate::{
    any::AnyRelation,
    field::{Field, IdColumn},
    life::Life,
    offer::Offer,
    scalar::id::Identified,
    sql::{
        condition::{Comparison, Condition, SeenBy, Sight, Table, Term},
        statement::Row,
    },
    value::Value,
};

/// What clients see of a tenant table: a row with an id, a revision and a life.
pub trait Entity: Identified + Row + ContainerType + OutputType + Clone {
    /// The field that holds one: `contact`.
    const ONE: &'static str;
    /// The field that holds a list: `contacts`.
    const MANY: &'static str;
    /// The table, and nothing but letters and underscores: `contacts`.
    const TABLE: &'static str;
    /// A session that holds one of these may read it.
    const READ: &'static [Permission];
    /// What becomes of its rows.
    const LIFE: Life = Life::Deletable;
    /// What it offers beside its list and its rows by their ids.
    const OFFERS: &'static [Offer] = Offer::READ;
    /// Whether its list can be searched. Its table was then given to `make_searchable()` by a migration.
    const SEARCHABLE: bool = false;
    /// Its own fields, as lists, mutations, imports and exports know them. Every entity also has `id`
    /// and what its life gives it.
    const FIELDS: &'static [Field];
    /// What it is related to.
    const RELATIONS: &'static [Relation<Self>];

    /// Which rows a session sees that may read it. Asked of every session in every statement; it must
    /// ask for permissions, not for roles.
    fn sight(session: &Session) -> Sight;

    /// Which deleted rows such a session sees: all if it sees all others, else none.
    fn deleted_sight(session: &Session) -> Sight {
        match Self::sight(session) {
            Sight::All => Sight::All,
            _ => Sight::None,
        }
    }

    /// The id.
    fn id(&self) -> Uuid;

    /// The revision; 0 for rows that are never changed.
    fn revision(&self) -> i32;
}

impl Sight {
    /// The rows to which one of these ways leads.
    #[must_use]
    pub fn ways(ways: impl IntoIterator<Item = SeenBy>) -> Self {
        Self::Ways(ways.into_iter().collect())
    }
}

impl SeenBy {
    /// By a column of the row that holds an id: that of the user who asks. Few rows for each session.
    pub fn own<C>(_: C, id: Uuid) -> Self
    where
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        Self::Own(Condition::Is(Term::Column(C::NAME), Comparison::Eq, Value::Uuid(id)))
    }

    /// By rows of the table of this name, which has no soft deletion: those whose `who` holds this id,
    /// and whose `row` is the row's. Few rows for each session.
    pub fn through<T, R, W>(table: &'static str, _: R, _: W, id: Uuid) -> Self
    where
        R: Column<Table = T> + Copy,
        W: Column<Table = T> + Copy,
        R::SqlType: IdColumn,
        W::SqlType: IdColumn,
    {
        let condition = Condition::Is(Term::Column(W::NAME), Comparison::Eq, Value::Uuid(id));
        Self::Through { table: Table::kept(table, Sight::All), row: R::NAME, condition }
    }
}

/// What an entity is related to: a field of its GraphQL object, of its filters, orders and groups.
pub struct Relation<E> {
    pub(crate) erased: AnyRelation,
    /// The id by which the other side is found; absent if there is none.
    pub(crate) key: fn(&E) -> Option<Uuid>,
}
