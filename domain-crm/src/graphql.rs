use async_graphql::MergedObject;
use listing::{Lifecycle, Queries};

use crate::contact::{Contact, ContactMutation};

/// Queries of this crate.
#[derive(MergedObject, Default)]
pub struct CrmQuery(Queries<Contact>);

/// Mutations of this crate.
#[derive(MergedObject, Default)]
pub struct CrmMutation(ContactMutation, Lifecycle<Contact>);
