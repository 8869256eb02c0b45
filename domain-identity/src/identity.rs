use std::sync::Arc;

use tenancy::{Failure, RequestId, Scope, Session, SystemDoor};
use url::Url;
use uuid::Uuid;

use crate::{login, password::Hasher, token::TokenKeys};

/// Identity's own means: the system door, the token keys, the password hasher, and where the links
/// in its mails lead.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) system: SystemDoor,
    pub(crate) keys: TokenKeys,
    pub(crate) hasher: Hasher,
    pub(crate) public_url: Url,
}

impl Identity {
    /// Takes the system door, of which there is one per process, and the address of the front end.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn new(system: SystemDoor, keys: TokenKeys, public_url: Url) -> Result<Self, Failure> {
        let hasher = Hasher::new().map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Self(Arc::new(Inner { system, keys, hasher, public_url })))
    }

    /// Who shows this access token.
    ///
    /// # Errors
    /// UNAUTHENTICATED for a token that is not ours, whose time is over, whose log-in has ended, or
    /// whose user is deactivated.
    pub async fn authenticate(&self, access_token: &str, request_id: &RequestId) -> Result<Session, Failure> {
        let Inner { system, keys, .. } = &*self.0;
        let claims = keys.verify(access_token, system.clock().now())?;
        self.session(claims.org, claims.sid, claims.sub, request_id).await
    }

    /// The same session as it is now: for whoever listens longer than a request takes.
    ///
    /// # Errors
    /// UNAUTHENTICATED for one whose log-in has ended, or whose user is deactivated.
    pub async fn renewed(&self, scope: &Scope) -> Result<Session, Failure> {
        let user = scope.session().user()?;
        self.session(user.organisation_id, user.login_session_id, user.user_id, scope.request_id()).await
    }

    async fn session(
        &self,
        organisation_id: Uuid,
        login_session_id: Uuid,
        user_id: Uuid,
        request_id: &RequestId,
    ) -> Result<Session, Failure> {
        let system = &self.0.system;
        let scope = system.token_scope(organisation_id, request_id.clone());
        let load = || login::load_session(&scope, organisation_id, login_session_id, user_id);
        Ok(Session::of_user(system, system.session(login_session_id, load).await?))
    }
}
