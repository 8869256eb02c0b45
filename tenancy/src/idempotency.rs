use chrono::TimeDelta;
use diesel::{prelude::*, query_dsl::methods};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{ErrorCode, Failure, Scope, Tx, tables::idempotency_keys as keys};

/// How long a key is valid, unless it is permanent.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// The longest key, in bytes.
const MAX_KEY: usize = 255;
const FIELD: &str = "idempotencyKey";

/// An idempotency key: a repetition within 24 hours returns the first result.
pub struct Key {
    operation: String,
    key: String,
    body_hash: Vec<u8>,
    permanent: bool,
}

impl Key {
    /// Creates the key of a client for this operation and body.
    ///
    /// # Errors
    /// INVALID if the key is empty, too long or contains control characters.
    pub fn new(operation: &str, key: String, body: &[u8]) -> Result<Self, Failure> {
        if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
            let message = format!("A key has 1 to {MAX_KEY} bytes and no control characters.");
            return Err(Failure::user(ErrorCode::Invalid, FIELD, message));
        }
        let body_hash = Sha256::digest(body).to_vec();
        Ok(Self { operation: operation.to_owned(), key, body_hash, permanent: false })
    }

    /// The same key, remembered for ever: for operations that must never be repeated, such as
    /// payments. An operation has either only permanent keys or none.
    #[must_use]
    pub fn permanent(self) -> Self {
        Self { permanent: true, ..self }
    }
}

/// The result of a write with an idempotency key, which a repetition loads again.
pub trait Recall: Sized + Send {
    /// The ids of the result.
    fn ids(&self) -> Vec<Uuid>;
    /// What a repetition is to answer beside the rows: counts, and what was wrong with others.
    fn outcome(&self) -> Option<Value> {
        None
    }
    /// Loads the result again, as far as the session sees it now.
    fn recall(
        scope: &Scope,
        tx: &Tx,
        ids: Vec<Uuid>,
        outcome: Option<Value>,
    ) -> impl Future<Output = Result<Self, Failure>> + Send;
}

/// Runs the body unless the key was used. The row of the key is inserted first, so that a concurrent
/// request with the same key waits; if the body fails, the row is rolled back.
pub(crate) async fn once<T: Recall>(
    scope: &Scope,
    tx: &Tx,
    actor_id: Uuid,
    key: &Key,
    body: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let row = (
        keys::actor_id.eq(actor_id),
        keys::operation.eq(&key.operation),
        keys::key.eq(&key.key),
        keys::body_hash.eq(&key.body_hash),
        keys::permanent.eq(key.permanent),
    );
    let now = scope.clock().now();
    let forgotten = keys::created_at.lt(now - REMEMBERED).and(diesel::dsl::not(keys::permanent));
    let claim = diesel::insert_into(keys::table)
        .values(row)
        .on_conflict((keys::organisation_id, keys::actor_id, keys::operation, keys::key))
        .do_update()
        .set((
            keys::body_hash.eq(&key.body_hash),
            keys::created_at.eq(now),
            keys::permanent.eq(key.permanent),
        ));
    let claimed = tx.execute(methods::FilterDsl::filter(claim, forgotten)).await?;
    let own = keys::table.filter(
        keys::actor_id.eq(actor_id).and(keys::operation.eq(&key.operation)).and(keys::key.eq(&key.key)),
    );
    if claimed == 0 {
        let earlier: Option<(Vec<u8>, Vec<Uuid>, Option<Value>)> =
            tx.row(own.select((keys::body_hash, keys::entity_ids, keys::outcome))).await?;
        return match earlier {
            Some((hash, ids, outcome)) if hash == key.body_hash => T::recall(scope, tx, ids, outcome).await,
            _ => {
                let message = "This key was used with another input.";
                Err(Failure::user(ErrorCode::Conflict, FIELD, message))
            }
        };
    }
    let made = body.await?;
    if !tx.is_discarded() {
        let result = (keys::entity_ids.eq(made.ids()), keys::outcome.eq(made.outcome()));
        tx.execute(diesel::update(own).set(result)).await?;
    }
    Ok(made)
}
