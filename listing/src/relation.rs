use diesel::{Column, sql_types as st};
use uuid::Uuid;

use crate::{AnyEntity, Entity, field::IdColumn};

/// What an entity is related to: a field of its GraphQL object, of its filters, orders and groups.
pub struct Relation<E> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) way: Way<E>,
    pub(crate) target: AnyEntity,
    /// What a column of the one that is referred to must hold.
    pub(crate) refers_only_to: Option<(&'static str, &'static str)>,
}

/// How to get to the other side.
pub(crate) enum Way<E> {
    /// The entity holds the id of the one other.
    One { column: &'static str, id: fn(&E) -> Option<Uuid> },
    /// Each of the others holds the entity's id.
    Many { column: &'static str },
}

impl<E: Entity> Relation<E> {
    /// To the one `R` whose id stands in this column of the entity.
    pub const fn one<R, C>(name: &'static str, _: C, id: fn(&E) -> Option<Uuid>, about: &'static str) -> Self
    where
        R: Entity,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        Self {
            name,
            about,
            way: Way::One { column: C::NAME, id },
            target: AnyEntity::of::<R>(),
            refers_only_to: None,
        }
    }

    /// To all `R` that hold the entity's id in this column of theirs.
    pub const fn many<R, C>(name: &'static str, _: C, about: &'static str) -> Self
    where
        R: Entity,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        Self {
            name,
            about,
            way: Way::Many { column: C::NAME },
            target: AnyEntity::of::<R>(),
            refers_only_to: None,
        }
    }

    /// Clients may refer only to such whose column holds this text. What is there already is answered
    /// as it is.
    #[must_use]
    pub const fn refers_only_to<C>(mut self, _: C, value: &'static str) -> Self
    where
        C: Column<SqlType = st::Text> + Copy,
    {
        assert!(matches!(self.way, Way::One { .. }), "only a relation to one is given by clients");
        self.refers_only_to = Some((C::NAME, value));
        self
    }
}
