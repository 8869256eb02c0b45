//! SQL of webhooks.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{QueryableByName, prelude::*, sql_query, sql_types as st};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use super::{Attempt, DeliveryState, Secret, WebhookSecret};
use crate::{
    StoredEvent,
    tables::{webhook_deliveries as deliveries, webhook_endpoints as endpoints, webhook_secrets as secrets},
};

/// How long every attempt may fail before the endpoint is disabled.
const FAILURE_WINDOW: TimeDelta = TimeDelta::days(5);

// Two writes at once must not both find the last free place.
const LOCK_ENDPOINTS: &str = "
    SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoints ' || current_setting('app.organisation_id'), 0))";

/// The number of the organisation's endpoints other than these. It stays until the write ends.
pub(super) async fn count_others(tx: &Tx, known: Vec<Uuid>) -> Result<i64, Failure> {
    tx.execute(sql_query(LOCK_ENDPOINTS)).await?;
    let others = endpoints::deleted_at.is_null().and(endpoints::id.ne_all(known));
    Ok(tx.row(endpoints::table.filter(others).count()).await?.unwrap_or_default())
}

/// The active secrets of an endpoint, the current one first.
pub(super) async fn secrets(scope: &Scope, endpoint_id: Uuid) -> Result<Vec<WebhookSecret>, Failure> {
    let valid = secrets::expires_at.is_null().or(secrets::expires_at.gt(scope.clock().now()));
    let query = secrets::table
        .filter(secrets::endpoint_id.eq(endpoint_id).and(valid))
        .order(secrets::expires_at.desc().nulls_first())
        .select((secrets::secret, secrets::created_at, secrets::expires_at));
    scope.rows(query).await
}

/// Inserts the secrets of endpoints.
pub(super) async fn insert_secrets(tx: &Tx, of: impl Iterator<Item = (Uuid, Secret)>) -> Result<(), Failure> {
    let row = |(endpoint_id, secret): (Uuid, Secret)| {
        let id = secrets::id.eq(Uuid::now_v7());
        (id, secrets::endpoint_id.eq(endpoint_id), secrets::secret.eq(secret.to_string()))
    };
    let rows: Vec<_> = of.map(row).collect();
    tx.execute(diesel::insert_into(secrets::table).values(rows)).await.map(drop)
}

/// Adds a new secret; the existing ones expire at `until` or earlier.
pub(super) async fn rotate(
    tx: &Tx,
    endpoint_id: Uuid,
    secret: Secret,
    until: DateTime<Utc>,
) -> Result<(), Failure> {
    let of = secrets::table.filter(secrets::endpoint_id.eq(endpoint_id));
    // An earlier expiry from a previous rotation is kept.
    let longer = secrets::expires_at.is_null().or(secrets::expires_at.gt(until));
    tx.execute(diesel::update(of.filter(longer)).set(secrets::expires_at.eq(until))).await?;
    insert_secrets(tx, std::iter::once((endpoint_id, secret))).await
}

/// A delivery with the data of its endpoint and event.
#[derive(QueryableByName)]
pub(super) struct OutgoingDelivery {
    #[diesel(sql_type = st::Uuid)]
    pub(super) endpoint_id: Uuid,
    #[diesel(sql_type = st::Text)]
    pub(super) url: String,
    #[diesel(sql_type = st::Bool)]
    pub(super) wanted: bool,
    #[diesel(embed)]
    pub(super) event: StoredEvent,
}

const OUTGOING: &str = "
    SELECT endpoint.id AS endpoint_id, endpoint.url, endpoint.active AND endpoint.deleted_at IS NULL AS wanted,
           event.id, event.kind, event.entity, event.entity_id, event.details, event.user_id, event.created_at
    FROM webhook_deliveries delivery
    JOIN webhook_endpoints endpoint ON endpoint.id = delivery.endpoint_id
    JOIN events event ON event.id = delivery.event_id
    WHERE delivery.id = $1";

/// The delivery with this id; none if it or its event has been purged.
pub(super) async fn outgoing(scope: &Scope, delivery_id: Uuid) -> Result<Option<OutgoingDelivery>, Failure> {
    scope.row(sql_query(OUTGOING).bind::<st::Uuid, _>(delivery_id)).await
}

/// Records an attempt.
pub(super) async fn record(
    tx: &Tx,
    delivery_id: Uuid,
    state: &str,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let milliseconds = i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX);
    let change = (
        deliveries::state.eq(state),
        deliveries::attempts.eq(deliveries::attempts + 1),
        deliveries::last_attempt_at.eq(now),
        deliveries::next_attempt_at.eq(None::<DateTime<Utc>>),
        deliveries::response_status.eq(attempt.status.map(i32::from)),
        deliveries::response_body.eq(&attempt.response),
        deliveries::error.eq(&attempt.error),
        deliveries::duration_ms.eq(milliseconds),
    );
    let own = deliveries::table.filter(deliveries::id.eq(delivery_id));
    tx.execute(diesel::update(own).set(change)).await.map(drop)
}

/// Marks a delivery as failed without an attempt.
pub(super) async fn give_up(tx: &Tx, delivery_id: Uuid, error: &str) -> Result<(), Failure> {
    let own = deliveries::table.filter(deliveries::id.eq(delivery_id));
    let next = deliveries::next_attempt_at.eq(None::<DateTime<Utc>>);
    let change = (deliveries::state.eq(DeliveryState::FAILED), deliveries::error.eq(error), next);
    tx.execute(diesel::update(own).set(change)).await.map(drop)
}

// Updates only on a change: the row is an entity, so every update increments its revision and adds an
// audit row.
const SUCCEEDED: &str = "
    UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL";
const FAILED: &str = "
    UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, service_now()),
           active = NOT ($2 OR coalesce(failing_since < service_now() - $3, false))
    WHERE id = $1 AND active AND ($2 OR failing_since IS NULL OR failing_since < service_now() - $3)";

/// Ends the endpoint's series of failures.
pub(super) async fn endpoint_succeeded(tx: &Tx, endpoint_id: Uuid) -> Result<(), Failure> {
    tx.execute(sql_query(SUCCEEDED).bind::<st::Uuid, _>(endpoint_id)).await.map(drop)
}

/// Records a failure of the endpoint; disables it if it is gone or has failed for too long.
pub(super) async fn endpoint_failed(tx: &Tx, endpoint_id: Uuid, wants_no_more: bool) -> Result<(), Failure> {
    let query = sql_query(FAILED)
        .bind::<st::Uuid, _>(endpoint_id)
        .bind::<st::Bool, _>(wants_no_more)
        .bind::<st::Interval, _>(FAILURE_WINDOW);
    tx.execute(query).await.map(drop)
}

/// The number of active secrets of an endpoint.
pub(super) async fn count_secrets(tx: &Tx, endpoint_id: Uuid, now: DateTime<Utc>) -> Result<i64, Failure> {
    let valid = secrets::expires_at.is_null().or(secrets::expires_at.gt(now));
    let query = secrets::table.filter(secrets::endpoint_id.eq(endpoint_id).and(valid)).count();
    Ok(tx.row(query).await?.unwrap_or_default())
}

// The job has the id of its delivery, so there is never a second one. A queued job becomes due at
// once; a missing one is created again; a dead letter counts as replayed.
const REPLAY: &str = "
    WITH delivery AS (
        SELECT id, endpoint_id, event_kind, state FROM webhook_deliveries WHERE id = $1 FOR UPDATE
    ), waiting AS (
        UPDATE jobs SET run_at = service_now() FROM delivery
        WHERE jobs.id = delivery.id AND state = 'PENDING' AND jobs.lease IS NULL
        RETURNING jobs.id, jobs.sequence_key, jobs.place
    ), followers AS (
        UPDATE jobs SET run_at = service_now() FROM waiting
        WHERE jobs.sequence_key = waiting.sequence_key AND jobs.place > waiting.place
        RETURNING 1
    ), revived AS (
        UPDATE dead_letters SET state = 'REPLAYED', settled_at = service_now()
        FROM delivery WHERE dead_letters.id = delivery.id AND dead_letters.state = 'WAITING'
        RETURNING 1
    ), made AS (
        INSERT INTO jobs (id, kind, payload, summary)
        SELECT id, $2, jsonb_build_object('deliveryId', id), event_kind || ' for a webhook' FROM delivery
        WHERE state <> 'PENDING'
        ON CONFLICT (organisation_id, id) DO NOTHING
        RETURNING id
    )
    UPDATE webhook_deliveries SET state = 'PENDING', error = NULL, next_attempt_at = NULL
    WHERE id IN (SELECT id FROM made UNION ALL SELECT id FROM waiting)";

/// Makes a delivery due at once; returns false if an attempt is running.
pub(super) async fn replay(tx: &Tx, delivery_id: Uuid) -> Result<bool, Failure> {
    let query = sql_query(REPLAY).bind::<st::Uuid, _>(delivery_id).bind::<st::Text, _>(super::DELIVER);
    Ok(tx.execute(query).await? > 0)
}
