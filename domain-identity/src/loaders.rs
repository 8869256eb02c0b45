use async_graphql::Context;
use listing::OneLoader;
use tenancy::{Failure, Scope};

use crate::User;

/// What this crate loads in batches; made anew for each request.
pub struct Loaders {
    /// Users by id.
    pub users: OneLoader<User>,
}

impl Loaders {
    /// The loaders of one request.
    pub fn new(scope: &Scope) -> Self {
        Self { users: OneLoader::new(scope.clone()) }
    }

    /// Those of this request.
    ///
    /// # Errors
    /// A fault of ours if the gateway did not provide them.
    pub fn of<'c>(ctx: &Context<'c>) -> Result<&'c Self, Failure> {
        ctx.data().map_err(|error| Failure::internal(error.message))
    }
}
