use async_graphql::MergedObject;
use listing::Queries;

use crate::{
    User,
    login::{LoginMutation, LoginQuery},
};

/// Queries of this crate.
#[derive(MergedObject, Default)]
pub struct IdentityQuery(LoginQuery, Queries<User>);

/// Mutations of this crate.
#[derive(MergedObject, Default)]
pub struct IdentityMutation(LoginMutation);
