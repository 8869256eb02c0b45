use std::sync::Arc;

use diesel::{QueryableByName, dsl::sql, sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};
use tokio::{sync::Mutex, task::yield_now};
use uuid::Uuid;

use super::{Hub, hub::CAPACITY};
use crate::StoredEvent;

/// How many events one query reads.
const PAGE: i64 = 1000;

/// Reads newly committed events from the outbox, as long as the hub has listeners.
pub(crate) struct Reader {
    door: SystemDoor,
    hub: Arc<Hub>,
    /// The PostgreSQL snapshot of the last poll, as text; none while there are no listeners.
    last_snapshot: Mutex<Option<String>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = st::Uuid)]
    organisation_id: Uuid,
    #[diesel(sql_type = st::BigInt)]
    position: i64,
    #[diesel(embed)]
    event: StoredEvent,
}

const SINCE: &str = "
    SELECT organisation_id, position, id, kind, entity, entity_id, details, user_id, created_at FROM events
    WHERE transaction_id >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
      AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, $1::text::pg_snapshot)
      AND pg_visible_in_snapshot(transaction_id::text::xid8, $2::text::pg_snapshot)
      AND position > $3
    ORDER BY position LIMIT $4";

impl Reader {
    pub(crate) fn new(door: SystemDoor, hub: Arc<Hub>) -> Self {
        Self { door, hub, last_snapshot: Mutex::default() }
    }

    /// Takes the first snapshot when a listener subscribes: it receives every event committed after
    /// this call.
    ///
    /// # Errors
    /// PostgreSQL does not answer.
    pub(crate) async fn activate(&self) -> Result<(), Failure> {
        let mut last_snapshot = self.last_snapshot.lock().await;
        if last_snapshot.is_none() {
            *last_snapshot = Some(snapshot(&self.door).await?);
        }
        Ok(())
    }

    /// Sends new events to the listeners.
    ///
    /// # Errors
    /// Errors of the database. The next poll starts from the same snapshot, so listeners may receive
    /// an event twice but never miss one.
    pub(crate) async fn poll(&self) -> Result<(), Failure> {
        let mut last_snapshot = self.last_snapshot.lock().await;
        if self.hub.is_empty() {
            *last_snapshot = None;
        }
        let Some(since) = last_snapshot.as_ref() else { return Ok(()) };
        let now = snapshot(&self.door).await?;
        let mut position = 0;
        loop {
            let page = sql_query(SINCE)
                .bind::<st::Text, _>(since)
                .bind::<st::Text, _>(&now)
                .bind::<st::BigInt, _>(position)
                .bind::<st::BigInt, _>(PAGE);
            let rows: Vec<Row> = self.door.rows(page).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < PAGE);
            for (sent, row) in rows.into_iter().enumerate() {
                position = row.position;
                self.hub.broadcast(row.organisation_id, &Arc::new(row.event));
                // Lets the listeners receive before the buffer overflows.
                if sent % (CAPACITY / 2) == 0 {
                    yield_now().await;
                }
            }
            if is_last {
                break;
            }
        }
        *last_snapshot = Some(now);
        Ok(())
    }
}

async fn snapshot(door: &SystemDoor) -> Result<String, Failure> {
    let query = diesel::select(sql::<st::Text>("pg_current_snapshot()::text"));
    door.rows(query).await?.pop().ok_or_else(|| Failure::internal("PostgreSQL has no snapshot"))
}
