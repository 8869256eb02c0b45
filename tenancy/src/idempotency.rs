use chrono::TimeDelta;
use diesel::{prelude::*, query_dsl::methods};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Clock, ErrorCode, Failure, Tx, tables::idempotency_keys as keys};

/// How long a key is remembered, unless it is permanent.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// The longest key that is taken.
const MAX_KEY: usize = 255;
const FIELD: &str = "idempotencyKey";

/// Names one wish of a client, so that its repetition is not carried out twice.
pub struct Key {
    operation: String,
    key: String,
    body_hash: Vec<u8>,
    permanent: bool,
}

impl Key {
    /// The key that the client chose for this operation with this body.
    ///
    /// # Errors
    /// INVALID for a key that is empty, too long or holds control characters.
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

/// What a keyed write makes, and how it is found again for a repetition.
pub trait Recall: Sized + Send {
    /// The ids of what was made.
    fn ids(&self) -> Vec<Uuid>;
    /// The same, read again.
    fn recall(tx: &Tx, ids: Vec<Uuid>) -> impl Future<Output = Result<Self, Failure>> + Send;
}

/// Runs the body unless the key has been used. The key's row is inserted first, so that a second
/// request with it waits for the first; a failed body takes the row with it.
pub(crate) async fn once<T: Recall>(
    tx: &Tx,
    actor_id: Uuid,
    key: &Key,
    clock: &Clock,
    body: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let row = (
        keys::actor_id.eq(actor_id),
        keys::operation.eq(&key.operation),
        keys::key.eq(&key.key),
        keys::body_hash.eq(&key.body_hash),
        keys::permanent.eq(key.permanent),
    );
    let now = clock.now();
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
        let earlier: Option<(Vec<u8>, Vec<Uuid>)> =
            tx.row(own.select((keys::body_hash, keys::entity_ids))).await?;
        return match earlier {
            Some((hash, ids)) if hash == key.body_hash => T::recall(tx, ids).await,
            _ => {
                let message = "This key was used with another input.";
                Err(Failure::user(ErrorCode::Conflict, FIELD, message))
            }
        };
    }
    let made = body.await?;
    tx.execute(diesel::update(own).set(keys::entity_ids.eq(made.ids()))).await?;
    Ok(made)
}
