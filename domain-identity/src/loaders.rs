use listing::OneLoader;
use tenancy::Scope;

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
}
