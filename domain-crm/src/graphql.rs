use async_graphql::MergedObject;
use listing::{AnyEntity, Mutations, Queries, entity};

use crate::{Contact, Product};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] = &[entity::<Contact>(), entity::<Product>()];

/// Queries of this crate.
#[derive(MergedObject, Default)]
pub struct CrmQuery(Queries<Contact>, Queries<Product>);

/// Mutations of this crate.
#[derive(MergedObject, Default)]
pub struct CrmMutation(Mutations<Contact>, Mutations<Product>);
