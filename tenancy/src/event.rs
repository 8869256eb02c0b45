//! What a write says has happened: it reaches the outbox together with the change itself, or not at
//! all.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types as st,
};
use serde_json::Value;
use uuid::Uuid;

/// Something that happened to one entity. Publish it with [`crate::Tx::publish`], while the
/// transaction holds the entity's row (made or changed it): events of one entity are then in the
/// order of what happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened: the entity's prefix, a dot, and a verb in the past: `contact.created`.
    pub kind: String,
    /// What the entity's ids start with: `contact`.
    pub entity: &'static str,
    /// The entity it happened to.
    pub entity_id: Uuid,
    /// What else there is to say: small, and nothing that only some readers of the entity may see.
    pub details: Value,
}

impl Event {
    /// An event of this entity: its kind is `{entity}.{verb}`.
    pub fn new(entity: &'static str, verb: &str, entity_id: Uuid, details: Value) -> Self {
        Self { kind: format!("{entity}.{verb}"), entity, entity_id, details }
    }
}

/// Adds events in one statement, of which there are two texts: one event costs PostgreSQL less as
/// plain values.
pub(crate) enum Publish {
    /// One event, with the id it will have.
    One(Uuid, Event),
    /// Several, column by column.
    Many(Columns),
}

/// The columns of several events.
#[derive(Default)]
pub(crate) struct Columns {
    ids: Vec<Uuid>,
    kinds: Vec<String>,
    entities: Vec<&'static str>,
    entity_ids: Vec<Uuid>,
    details: Vec<Value>,
}

impl Publish {
    pub(crate) fn new(events: Vec<Event>) -> Self {
        let events = match <[Event; 1]>::try_from(events) {
            Ok([event]) => return Self::One(Uuid::now_v7(), event),
            Err(events) => events,
        };
        let mut columns = Columns::default();
        for event in events {
            columns.ids.push(Uuid::now_v7());
            columns.kinds.push(event.kind);
            columns.entities.push(event.entity);
            columns.entity_ids.push(event.entity_id);
            columns.details.push(event.details);
        }
        Self::Many(columns)
    }
}

impl QueryId for Publish {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Publish {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO events (id, kind, entity, entity_id, details) ");
        match self {
            Self::One(id, event) => {
                out.push_sql("VALUES (");
                out.push_bind_param::<st::Uuid, _>(id)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Text, _>(&event.kind)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Text, _>(&event.entity)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Uuid, _>(&event.entity_id)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Jsonb, _>(&event.details)?;
            }
            Self::Many(columns) => {
                out.push_sql("SELECT * FROM unnest(");
                out.push_bind_param::<st::Array<st::Uuid>, _>(&columns.ids)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Array<st::Text>, _>(&columns.kinds)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Array<st::Text>, _>(&columns.entities)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Array<st::Uuid>, _>(&columns.entity_ids)?;
                out.push_sql(", ");
                out.push_bind_param::<st::Array<st::Jsonb>, _>(&columns.details)?;
            }
        }
        out.push_sql(")");
        Ok(())
    }
}
