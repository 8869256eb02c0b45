use std::{net::SocketAddr, sync::Arc, time::Duration};

use domain_identity::{Identity, TokenKeys};
use events::{
    Events, Renew, Work,
    mail::{MailSettings, Mailer},
};
use futures_util::FutureExt;
use listing::RootType;
use tenancy::{Addresses, Clock, Constraint, Database, Failure, Limits, RequestId, Scope, Session, Settings};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::{
    documents::Documents,
    http,
    schema::{self, Schema},
};

/// The user errors for the constraints of all domains.
pub const CONSTRAINTS: &[&[Constraint]] =
    &[events::CONSTRAINTS, domain_identity::CONSTRAINTS, domain_crm::CONSTRAINTS];

/// How long running jobs may take to finish after the last request. Together with the time for
/// requests, at most the ten seconds after which Docker kills a container.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the service cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] tenancy::OpenError),
    /// Another error.
    #[error("{0}")]
    Other(String),
}

/// The service on an open database.
#[derive(Clone)]
pub struct Service {
    pub(crate) database: Database,
    pub(crate) identity: Identity,
    pub(crate) schema: Schema,
    pub(crate) documents: Documents,
    pub(crate) with_demo: bool,
    /// Whether this gateway runs background work.
    pub(crate) works: bool,
    events: Events,
    addresses: Addresses,
}

impl Service {
    /// Opens the database and builds the schema. Among the settings are [`events::webhook::Reach`] and
    /// [`domain_identity::Grants`].
    ///
    /// # Errors
    /// The database does not answer or does not isolate tenants, or a setting is invalid.
    pub async fn open(
        addresses: &Addresses,
        limits: &Limits,
        keys: TokenKeys,
        clock: Clock,
        mail: &MailSettings,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let other = |failure: Failure| OpenError::Other(failure.to_string());
        let settings =
            settings.with(events::webhook::EventKinds(Arc::new(schema::Mutation::members().event_kinds())));
        let (database, door) =
            Database::open(addresses, limits, CONSTRAINTS, clock, settings.clone()).await?;
        let mailer = Mailer::new(mail).map_err(|error| OpenError::Other(error.to_string()))?;
        let work = Work::built_in(mailer, settings.get().copied().unwrap_or_default()).map_err(other)?;
        let identity = Identity::new(door.clone(), keys, mail.public_url.clone()).map_err(other)?;
        let events = Events::new(door, renew(&database, &identity), work);
        let schema = schema::build(Some(identity.clone()));
        let model = schema::model_of(&schema).map_err(OpenError::Other)?;
        Ok(Self {
            database,
            identity,
            schema,
            documents: Documents::new(model),
            with_demo: false,
            works: true,
            events,
            addresses: addresses.clone(),
        })
    }

    /// Serves requests until `stop` is ready, then finishes the current ones.
    ///
    /// # Errors
    /// The listener or the background work fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let mut background = if self.works { self.events.start() } else { self.events.start_listening() };
        let (database, addresses) = (self.database.clone(), self.addresses.clone());
        background.spawn(async move { database.listen(&addresses).await });
        let (events, works, ending) = (self.events.clone(), self.works, self.events.clone());
        let stop = async move {
            stop.await;
            ending.stop_claiming();
        };
        // Dropping `background` aborts its tasks; unfinished jobs run again when their lease expires.
        // If a task ends by itself, the gateway stops: it would serve requests without background
        // work.
        tokio::select! {
            served = http::serve(self, listener, stop) => {
                if works && tokio::time::timeout(SHUTDOWN_TIMEOUT, events.jobs_finished()).await.is_err() {
                    tracing::info!("some jobs did not finish; they run again when their lease expires");
                }
                served
            }
            ended = background.join_next() => {
                tracing::error!(?ended, "the background work has ended");
                Err(std::io::Error::other("the background work has ended"))
            }
        }
    }

    /// The event service: listeners and background work.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Leaves the background work to other gateways.
    #[must_use]
    pub fn without_work(self) -> Self {
        Self { works: false, ..self }
    }

    /// Sets the lease of background jobs ([`Events::with_lease`]).
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { events: self.events.with_lease(lease), ..self }
    }

    /// The scope of the user with this access token.
    ///
    /// # Errors
    /// UNAUTHENTICATED for an invalid or expired token.
    pub async fn scope_of(&self, access_token: &str, request_id: RequestId) -> Result<Scope, Failure> {
        let session = self.identity.authenticate(access_token, &request_id).await?;
        Ok(self.scope(session, request_id))
    }

    /// The scope of a session.
    pub(crate) fn scope(&self, session: Session, request_id: RequestId) -> Scope {
        Scope::new(self.database.clone(), session, request_id)
    }
}

/// Renews the sessions of listeners through identity.
pub fn renew(database: &Database, identity: &Identity) -> Renew {
    let (database, identity) = (database.clone(), identity.clone());
    Arc::new(move |scope: Scope| {
        let (database, identity) = (database.clone(), identity.clone());
        async move {
            let session = identity.renewed(&scope).await?;
            Ok(Scope::new(database, session, scope.request_id().clone()))
        }
        .boxed()
    })
}

/// Opens the listening socket.
///
/// # Errors
/// A sentence with advice, if the address is in use or not available.
pub(crate) async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), String> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set TESSERA_LISTEN (or --listen) to another address, \
             such as 127.0.0.1:8081"
        )
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, address))
}
