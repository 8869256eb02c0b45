use diesel::Column;
use listing::{Entity, IdColumn, Relation};
use uuid::Uuid;

use crate::User;

/// The relation `createdBy` of an entity whose column `created_by` the database fills in.
pub const fn created_by<E, C>(column: C, id: fn(&E) -> Option<Uuid>) -> Relation<E>
where
    E: Entity,
    C: Column + Copy,
    C::SqlType: IdColumn,
{
    let about = "The user who created the record; null if no user did.";
    Relation::one::<User, C>("createdBy", column, id, about).with_id("createdById")
}
