use async_graphql::Context;
use listing::{ChildrenLoader, OneLoader};
use tenancy::{Failure, Scope};

use crate::contact::{Contact, People};

/// What this crate loads in batches; made anew for each request.
pub struct Loaders {
    /// Contacts by id.
    pub contacts: OneLoader<Contact>,
    pub(crate) people: ChildrenLoader<People>,
}

impl Loaders {
    /// The loaders of one request.
    pub fn new(scope: &Scope) -> Self {
        Self { contacts: OneLoader::new(scope.clone()), people: ChildrenLoader::new(scope.clone()) }
    }

    /// Those of this request.
    ///
    /// # Errors
    /// A fault of ours if the gateway did not provide them.
    pub fn of<'c>(ctx: &Context<'c>) -> Result<&'c Self, Failure> {
        ctx.data().map_err(|error| Failure::internal(error.message))
    }
}
