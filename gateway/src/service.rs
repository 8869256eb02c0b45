use std::net::SocketAddr;

use domain_identity::{Identity, TokenKeys};
use events::mail::MailSettings;
use tenancy::{Addresses, Clock, Constraint, Database, Limits, RequestId, Scope, Session};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::{
    documents::Documents,
    http,
    schema::{self, Schema},
};

/// What the constraints of all domains say to a user.
pub const CONSTRAINTS: &[&[Constraint]] = &[domain_identity::CONSTRAINTS, domain_crm::CONSTRAINTS];

/// Why the service cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Database(#[from] tenancy::OpenError),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The whole service, on an open database.
#[derive(Clone)]
pub struct Service {
    pub(crate) database: Database,
    pub(crate) identity: Identity,
    pub(crate) schema: Schema,
    pub(crate) documents: Documents,
    pub(crate) with_demo: bool,
    addresses: Addresses,
}

impl Service {
    /// Opens the database and builds the schema.
    ///
    /// # Errors
    /// A database that does not answer, or that would not keep tenants apart.
    pub async fn open(
        addresses: &Addresses,
        limits: &Limits,
        keys: TokenKeys,
        clock: Clock,
        mail: &MailSettings,
    ) -> Result<Self, OpenError> {
        let (database, door) = Database::open(addresses, limits, CONSTRAINTS, clock).await?;
        let identity = Identity::new(door, keys, mail.public_url.clone())
            .map_err(|failure| OpenError::Other(failure.to_string()))?;
        let schema = schema::build(Some(identity.clone()));
        Ok(Self {
            database,
            identity,
            schema,
            documents: Documents::new(),
            with_demo: false,
            addresses: addresses.clone(),
        })
    }

    /// Answers requests until `stop` is ready, then finishes those that have begun.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (database, addresses) = (self.database.clone(), self.addresses.clone());
        let listening = tokio::spawn(async move { database.forget_changed_sessions(&addresses).await });
        let served = http::serve(self, listener, stop).await;
        listening.abort();
        served
    }

    /// A request's way to the database.
    pub(crate) fn scope(&self, session: Session, request_id: RequestId) -> Scope {
        Scope::new(self.database.clone(), session, request_id)
    }
}

/// Listens where told.
///
/// # Errors
/// A sentence that says what to do about an address that is taken or not ours.
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
