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

/// Adds any number of events in one statement, whose text never changes.
pub(crate) struct Publish {
    ids: Vec<Uuid>,
    kinds: Vec<String>,
    entities: Vec<&'static str>,
    entity_ids: Vec<Uuid>,
    details: Vec<Value>,
}

impl Publish {
    pub(crate) fn new(events: Vec<Event>) -> Self {
        let mut publish =
            Self { ids: vec![], kinds: vec![], entities: vec![], entity_ids: vec![], details: vec![] };
        for event in events {
            publish.ids.push(Uuid::now_v7());
            publish.kinds.push(event.kind);
            publish.entities.push(event.entity);
            publish.entity_ids.push(event.entity_id);
            publish.details.push(event.details);
        }
        publish
    }
}

impl QueryId for Publish {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Publish {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO events (id, kind, entity, entity_id, details) SELECT * FROM unnest(");
        out.push_bind_param::<st::Array<st::Uuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<st::Array<st::Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<st::Array<st::Text>, _>(&self.entities)?;
        out.push_sql(", ");
        out.push_bind_param::<st::Array<st::Uuid>, _>(&self.entity_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<st::Array<st::Jsonb>, _>(&self.details)?;
        out.push_sql(")");
        Ok(())
    }
}
