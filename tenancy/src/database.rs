use std::{
    fmt::{Display, Write},
    sync::Arc,
    time::Duration,
};

use chrono::SecondsFormat;
use thiserror::Error;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::{
    Addresses, Clock, Constraint, Refusal, RequestId, Session, Settings, SystemDoor, UnsafeDatabase,
    connection::Pool, constraint::Constraints, guard, listen, session_cache::SessionCache, share::Shares,
    transaction::DatabaseRole,
};

/// Limits for the use of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The maximum number of connections for tenant work; one organisation uses at most half of them.
    /// The system role has a quarter as many.
    pub connections: usize,
    /// The time limit of a statement.
    pub statement_timeout: Duration,
    /// How long a transaction may be idle.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16,
            statement_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// The connection pools and their state. None of it is public: see [`crate::Scope`].
#[derive(Clone)]
pub struct Database(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: DatabaseRole,
    pub(crate) system: DatabaseRole,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) sessions: SessionCache,
    /// Signals that a write of this process has published an event or enqueued a job.
    pub(crate) published: Arc<Notify>,
    /// Counts the notifications of all gateways.
    pub(crate) announced: watch::Sender<u64>,
}

/// Why the database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// PostgreSQL does not answer, or rejects a role.
    #[error("PostgreSQL does not answer as it should: {0}")]
    Unreachable(String),
    /// The database or a role does not isolate tenants.
    #[error("refusing to start: {0}")]
    Unsafe(#[from] UnsafeDatabase),
    /// PostgreSQL's messages are not in English.
    #[error(
        "refusing to start: lc_messages is {0:?}, but time-outs are recognised by PostgreSQL's English \
         text; set it to C for the server, the database or the roles"
    )]
    NotEnglish(String),
}

impl Database {
    /// Opens both pools, after checking that the database and its roles isolate tenants.
    ///
    /// # Errors
    /// The database is unreachable or not safe.
    pub async fn open(
        addresses: &Addresses,
        limits: &Limits,
        constraints: &[&'static [Constraint]],
        clock: Clock,
        settings: Settings,
    ) -> Result<(Self, SystemDoor), OpenError> {
        guard::check(addresses).await?;
        let few = Limits { connections: limits.connections.div_ceil(4), ..limits.clone() };
        let constraints = Arc::new(Constraints::new(constraints));
        let published = Arc::new(Notify::new());
        let role = |url: &url::Url, limits, shares| {
            let pool = Pool::new(url.clone(), limits);
            let pool = pool.map(Arc::new).map_err(|error| OpenError::Unreachable(error.to_string()))?;
            Ok::<_, OpenError>(DatabaseRole {
                pool,
                shares,
                constraints: Arc::clone(&constraints),
                published: Arc::clone(&published),
            })
        };
        let shares = Arc::new(Shares::new(limits.connections));
        let database = Self(Arc::new(Inner {
            app: role(&addresses.app, limits, Some(shares))?,
            system: role(&addresses.system, &few, None)?,
            sessions: SessionCache::new(clock.clone()),
            clock,
            settings,
            published: Arc::clone(&published),
            announced: watch::Sender::new(0),
        }));
        let door = SystemDoor::new(database.clone());
        Ok((database, door))
    }

    /// The service's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Whether PostgreSQL answers.
    pub async fn is_ready(&self) -> bool {
        let begin = Begin::read(&self.0.clock);
        let one = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"));
        crate::transaction::read::<_, i32, _>(&self.0.app, &begin, one).await.is_ok()
    }

    /// Listens for notifications of other gateways on one connection: removes changed sessions from the
    /// cache and forwards announcements of events. Runs until dropped.
    pub async fn listen(&self, addresses: &Addresses) {
        listen::listen(&addresses.app, &self.0).await;
    }
}

/// Enough for all settings of a transaction.
const BEGIN_CAPACITY: usize = 320;

/// The statement that begins a transaction, and the transaction's organisation. Every value in the text
/// is an id, an instant, the name of a known time zone or a validated [`RequestId`], so injection is
/// impossible.
///
/// All settings travel in one message with `BEGIN`, and that with the first statement.
pub(crate) struct Begin {
    pub(crate) sql: String,
    pub(crate) organisation_id: Option<Uuid>,
}

impl Begin {
    /// A read that belongs to no organisation.
    pub(crate) fn read(clock: &Clock) -> Self {
        Self::new("BEGIN READ ONLY").at(clock)
    }

    /// A write that belongs to no organisation.
    pub(crate) fn write(clock: &Clock, request_id: &RequestId) -> Self {
        Self::new("BEGIN").set("request_id", request_id).at(clock)
    }

    fn new(begin: &str) -> Self {
        let mut sql = String::with_capacity(BEGIN_CAPACITY);
        sql.push_str(begin);
        Self { sql, organisation_id: None }
    }

    /// The same, in this organisation.
    pub(crate) fn within(mut self, organisation_id: Uuid) -> Self {
        self.organisation_id = Some(organisation_id);
        self.set("organisation_id", &organisation_id)
    }

    /// The same, with this user acting.
    pub(crate) fn by(self, user_id: Uuid) -> Self {
        self.set("user_id", &user_id)
    }

    /// The same, for the session's organisation, its user if there is one, and in its time zone.
    pub(crate) fn of(self, session: &Session) -> Result<Self, Refusal> {
        let begin = self.within(session.organisation_id()?);
        let Ok(user) = session.user() else { return Ok(begin) };
        let begin = begin.by(user.user_id);
        Ok(match user.time_zone {
            Some(zone) => begin.set("time_zone", &zone.name()),
            None => begin,
        })
    }

    /// What `service_now()` answers, where that is not the database's own time.
    fn at(self, clock: &Clock) -> Self {
        match clock.moved() {
            Some(now) => self.set("now", &now.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => self,
        }
    }

    fn set(mut self, setting: &str, value: &dyn Display) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "; SET LOCAL app.{setting} = '{value}'");
        self
    }
}
