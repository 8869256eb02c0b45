//! Customer relations: the companies and persons an organisation deals with.

// async-graphql nests the futures of all resolvers in one type.
#![recursion_limit = "256"]

mod constraints;
mod contact;
mod graphql;
mod loaders;
mod tables;

pub use constraints::CONSTRAINTS;
pub use contact::{Contact, ContactKind, ImportContactsInput, import};
pub use graphql::{CrmMutation, CrmQuery};
pub use loaders::Loaders;
