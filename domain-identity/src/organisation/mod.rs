//! An organisation: the tenant.

mod entity;

use diesel::prelude::*;
use tenancy::{Failure, Permission, Refusal, Scope};

pub use entity::Organisation;
pub(crate) use entity::{NewOrganisation, slug_of};

use crate::tables::organisations;

/// The organisation of this session.
pub(crate) async fn current(scope: &Scope) -> Result<Organisation, Failure> {
    scope.require(Permission::OwnAccount)?;
    let id = scope.session().organisation_id()?;
    let query = organisations::table.filter(organisations::id.eq(id)).select(Organisation::as_select());
    scope.row(query).await?.ok_or_else(|| Refusal::Unauthenticated.into())
}

/// The organisation of this session, if that is its id: to every other id the answer is nothing.
///
/// # Errors
/// UNAUTHENTICATED where nobody is logged in.
pub async fn own_organisation(scope: &Scope, id: uuid::Uuid) -> Result<Option<Organisation>, Failure> {
    Ok(Some(current(scope).await?).filter(|organisation| organisation.id.uuid() == id))
}
