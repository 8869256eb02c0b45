use listing::{AnyEntity, Members, Queries, entity};

use crate::{Contact, Product};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] = &[entity::<Contact>(), entity::<Product>()];

/// Queries of this crate.
pub fn queries() -> Members {
    Members::default().with(Queries::<Contact>::default()).with(Queries::<Product>::default())
}

/// Mutations of this crate.
pub fn mutations() -> Members {
    Members::default().mutations::<Contact>().mutations::<Product>()
}
