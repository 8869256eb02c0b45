use std::sync::Arc;

use futures_util::future::BoxFuture;
use tenancy::{Failure, Grant, Scope};
use uuid::Uuid;

/// Gives a user's sessions permissions beside those of the roles. The gateway provides it as a setting;
/// it is asked whenever a session is loaded, with a scope of the organisation and the user's id.
#[derive(Clone)]
pub struct Grants(Arc<Provider>);

type Provider = dyn Fn(Scope, Uuid) -> BoxFuture<'static, Result<Vec<Grant>, Failure>> + Send + Sync;

impl Grants {
    /// Grants as this function gives them.
    pub fn new(
        provider: impl Fn(Scope, Uuid) -> BoxFuture<'static, Result<Vec<Grant>, Failure>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(provider))
    }

    /// What a user is granted now.
    pub(crate) async fn of(scope: &Scope, user_id: Uuid) -> Result<Vec<Grant>, Failure> {
        let Some(Self(provider)) = scope.setting::<Self>() else { return Ok(vec![]) };
        let now = scope.clock().now();
        let mut grants = provider(scope.clone(), user_id).await?;
        grants.retain(|grant| grant.until.is_none_or(|until| now < until));
        Ok(grants)
    }
}
