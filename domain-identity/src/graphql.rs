use listing::{AnyEntity, Members, Queries, entity};

use crate::{
    User,
    login::{LoginMutation, LoginQuery},
    mailed::MailedMutation,
};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] = &[entity::<User>()];

/// Queries of this crate.
pub fn queries() -> Members {
    Members::default().with(LoginQuery).with(Queries::<User>::default())
}

/// Mutations of this crate.
pub fn mutations() -> Members {
    Members::default().with(LoginMutation).with(MailedMutation)
}
