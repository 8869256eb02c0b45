//! An organisation: the tenant.

mod entity;

use async_graphql::{Context, OutputType, ServerResult, Value};
use diesel::prelude::*;
use futures_util::{FutureExt, future::BoxFuture};
use listing::{Identified, NodeType, at, scope};
use tenancy::{Failure, Permission, Refusal, Scope};
use uuid::Uuid;

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

/// How an organisation is found by its id: one's own; to every other id the answer is nothing.
pub const NODE: NodeType =
    NodeType { name: Organisation::NAME, prefix: Organisation::PREFIX, resolve: own_organisation };

fn own_organisation<'c>(ctx: &'c Context<'c>, id: Uuid) -> BoxFuture<'c, ServerResult<Value>> {
    async move {
        let current = async { current(scope(ctx)?).await };
        let current = current.await.map_err(|failure| at(ctx, failure))?;
        let found = Some(current).filter(|organisation| organisation.id.uuid() == id);
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        OutputType::resolve(&found, &selection, ctx.item).await
    }
    .boxed()
}
