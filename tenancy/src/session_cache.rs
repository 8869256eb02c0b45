//! The cache of log-in sessions.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use crate::{Clock, Failure, UserSession};

/// How long a cached session is used, in case a notification is lost.
const TRUSTED: TimeDelta = TimeDelta::seconds(30);
/// The capacity of the cache.
const MAX_SESSIONS: u64 = 100_000;

/// Caches log-in sessions between requests.
pub(crate) struct SessionCache {
    sessions: Cache<Uuid, (DateTime<Utc>, Arc<UserSession>)>,
    // Counts invalidations. A session that was loaded during one is not cached.
    forgotten: AtomicU64,
    clock: Clock,
}

impl SessionCache {
    pub(crate) fn new(clock: Clock) -> Self {
        let sessions = Cache::builder().max_capacity(MAX_SESSIONS).support_invalidation_closures().build();
        Self { sessions, forgotten: AtomicU64::new(0), clock }
    }

    pub(crate) async fn get<F>(&self, id: Uuid, load: impl FnOnce() -> F) -> Result<Arc<UserSession>, Failure>
    where
        F: Future<Output = Result<UserSession, Failure>>,
    {
        let now = self.clock.now();
        if let Some((read_at, session)) = self.sessions.get(&id)
            && now - read_at < TRUSTED
            && session.ends_at().is_none_or(|end| now < end)
        {
            return Ok(session);
        }
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        let session = Arc::new(Box::pin(load()).await?);
        if self.forgotten.load(Ordering::SeqCst) == forgotten {
            self.sessions.insert(id, (now, Arc::clone(&session)));
        }
        Ok(session)
    }

    /// Removes a log-in session, or all log-in sessions of a user or an organisation.
    pub(crate) fn forget(&self, id: Uuid) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate(&id);
        let concerns = move |session: &UserSession| session.user_id == id || session.organisation_id == id;
        // Fails only without `support_invalidation_closures`, which `new` sets.
        let _ = self.sessions.invalidate_entries_if(move |_, (_, session)| concerns(session));
    }

    /// Clears the cache, after notifications may have been missed.
    pub(crate) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate_all();
    }
}
