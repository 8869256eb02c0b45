use std::sync::Arc;

use diesel::{QueryableByName, dsl::sql, sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};
use uuid::Uuid;

use super::Hub;
use crate::Happened;

/// How many events are read at a time.
const PAGE: i64 = 1000;

/// Reads from the outbox what has been committed since the last look.
pub(crate) struct Reader {
    door: SystemDoor,
    hub: Arc<Hub>,
    /// What was visible at the last look: one of PostgreSQL's snapshots, as text.
    seen: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = st::Uuid)]
    organisation_id: Uuid,
    #[diesel(sql_type = st::BigInt)]
    position: i64,
    #[diesel(embed)]
    event: Happened,
}

const SINCE: &str = "
    SELECT organisation_id, position, id, kind, entity, entity_id, details, user_id, created_at FROM events
    WHERE transaction_id >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
      AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, $1::text::pg_snapshot)
      AND pg_visible_in_snapshot(transaction_id::text::xid8, $2::text::pg_snapshot)
      AND position > $3
    ORDER BY position LIMIT $4";

impl Reader {
    /// Begins with what is committed from now on.
    pub(crate) async fn new(door: SystemDoor, hub: Arc<Hub>) -> Result<Self, Failure> {
        let seen = snapshot(&door).await?;
        Ok(Self { door, hub, seen })
    }

    /// Tells the listeners what is new.
    ///
    /// # Errors
    /// What the database refuses; the next look begins where this one did, so that some may hear of
    /// an event twice, but nobody misses one.
    pub(crate) async fn look(&mut self) -> Result<(), Failure> {
        let now = snapshot(&self.door).await?;
        let mut position = 0;
        loop {
            let page = sql_query(SINCE)
                .bind::<st::Text, _>(self.seen.clone())
                .bind::<st::Text, _>(now.clone())
                .bind::<st::BigInt, _>(position)
                .bind::<st::BigInt, _>(PAGE);
            let rows: Vec<Row> = self.door.rows(page).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < PAGE);
            for row in rows {
                position = row.position;
                self.hub.tell(row.organisation_id, &Arc::new(row.event));
            }
            if is_last {
                break;
            }
        }
        self.seen = now;
        Ok(())
    }
}

async fn snapshot(door: &SystemDoor) -> Result<String, Failure> {
    let query = diesel::select(sql::<st::Text>("pg_current_snapshot()::text"));
    door.rows(query).await?.pop().ok_or_else(|| Failure::internal("PostgreSQL has no snapshot"))
}
