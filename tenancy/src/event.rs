//! Events to publish. An event is written to the outbox in the same transaction as the change.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types as st,
};
use serde_json::Value;
use uuid::Uuid;

/// An event about one entity. Publish it with [`crate::Tx::publish`] while the transaction holds the
/// lock on the entity's row (after inserting or updating it), so that the events of one entity are in
/// order.
#[derive(Clone, Debug)]
pub struct Event {
    /// The kind of event: the entity's prefix, a dot and a verb in the past tense: `contact.created`.
    pub kind: String,
    /// The id prefix of the entity: `contact`.
    pub entity: &'static str,
    /// The entity that the event is about.
    pub entity_id: Uuid,
    /// Further data. Keep it small, and include nothing that some readers of the entity may not see.
    pub details: Value,
}

impl Event {
    /// Creates an event of the kind `{entity}.{verb}`.
    pub fn new(entity: &'static str, verb: &str, entity_id: Uuid, details: Value) -> Self {
        Self { kind: format!("{entity}.{verb}"), entity, entity_id, details }
    }
}

/// Inserts events with one statement. There are two forms, because plain values are cheaper for a
/// single event.
pub(crate) enum Publish {
    /// One event and its id.
    One(Uuid, Event),
    /// Several events, as columns.
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
