use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{QueryableByName, sql_types as st};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An event, as those hear of it whom it concerns. In a subscriber's job it is the payload.
#[derive(QueryableByName, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StoredEvent {
    /// The event's id: the same however often it is delivered.
    #[diesel(sql_type = st::Uuid)]
    pub id: Uuid,
    /// What happened: `contact.created`.
    #[diesel(sql_type = st::Text)]
    pub kind: String,
    /// What the entity's ids start with.
    #[diesel(sql_type = st::Text)]
    pub entity: String,
    /// The entity it happened to.
    #[diesel(sql_type = st::Uuid)]
    pub entity_id: Uuid,
    /// What else there is to say.
    #[diesel(sql_type = st::Jsonb)]
    pub details: Value,
    /// The user who did it; none for machines.
    #[diesel(sql_type = st::Nullable<st::Uuid>)]
    pub user_id: Option<Uuid>,
    /// When.
    #[diesel(sql_type = st::Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl StoredEvent {
    /// What the ids of events start with, where they leave the house.
    pub const PREFIX: &'static str = "event";

    /// As it leaves the house: `type`, `timestamp` and `data` after the Standard Webhooks
    /// specification; `data` holds the entity's id and the details.
    pub fn envelope(&self) -> Value {
        let mut data =
            Map::from_iter([("id".to_owned(), json!(listing::id_text(&self.entity, self.entity_id)))]);
        if let Value::Object(details) = &self.details {
            data.extend(details.clone());
        }
        let timestamp = self.created_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({ "type": self.kind, "timestamp": timestamp, "data": data })
    }
}
