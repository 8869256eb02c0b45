use async_graphql::MergedObject;
use listing::{AnyEntity, Queries, entity};

use crate::{
    User,
    login::{LoginMutation, LoginQuery},
    mailed::MailedMutation,
};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] = &[entity::<User>()];

/// Queries of this crate.
#[derive(MergedObject, Default)]
pub struct IdentityQuery(LoginQuery, Queries<User>);

/// Mutations of this crate.
#[derive(MergedObject, Default)]
pub struct IdentityMutation(LoginMutation, MailedMutation);
