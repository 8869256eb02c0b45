use chrono::{DateTime, SecondsFormat, Utc};
use diesel::{QueryableByName, sql_types as st};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An event as read from the outbox; also the payload of a subscriber's job.
#[derive(QueryableByName, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct StoredEvent {
    /// The id of the event, the same at every delivery.
    #[diesel(sql_type = st::Uuid)]
    pub id: Uuid,
    /// The kind of event: `contact.created`.
    #[diesel(sql_type = st::Text)]
    pub kind: String,
    /// The id prefix of the entity: `contact`.
    #[diesel(sql_type = st::Text)]
    pub entity: String,
    /// The entity that the event is about.
    #[diesel(sql_type = st::Uuid)]
    pub entity_id: Uuid,
    /// Further data, depending on the kind.
    #[diesel(sql_type = st::Jsonb)]
    pub details: Value,
    /// The user who caused it; none for a background job.
    #[diesel(sql_type = st::Nullable<st::Uuid>)]
    pub user_id: Option<Uuid>,
    /// When it happened.
    #[diesel(sql_type = st::Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl StoredEvent {
    /// The prefix of event ids outside the service.
    pub const PREFIX: &'static str = "event";

    /// The JSON body of a webhook: `type`, `timestamp` and `data`, as the Standard Webhooks
    /// specification defines; `data` holds the entity's id and the details.
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
