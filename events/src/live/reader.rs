use std::sync::Arc;

use diesel::{QueryableByName, dsl::sql, sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};
use tokio::{sync::Mutex, task::yield_now};
use uuid::Uuid;

use super::{Hub, hub::CAPACITY};
use crate::StoredEvent;

/// How many events are read at a time.
const PAGE: i64 = 1000;

/// Reads from the outbox what has been committed since the last look, while anybody listens.
pub(crate) struct Reader {
    door: SystemDoor,
    hub: Arc<Hub>,
    /// What was visible at the last look: one of PostgreSQL's snapshots, as text. None while nobody
    /// listens.
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

    /// Somebody has sat down: what is committed from now on is heard.
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

    /// Tells the listeners what is new.
    ///
    /// # Errors
    /// What the database refuses; the next look begins where this one did, so that some may hear of
    /// an event twice, but nobody misses one.
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
                // A chance to read, before there is more than is kept.
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
