//! Customer relations: the companies and persons an organisation deals with, and what it sells.

// async-graphql nests the futures of all resolvers in one type.
#![recursion_limit = "256"]

mod constraints;
mod contact;
mod graphql;
mod product;
mod tables;

pub use constraints::CONSTRAINTS;
pub use contact::{Contact, ContactKind};
pub use graphql::{CrmMutation, CrmQuery, ENTITIES};
pub use product::Product;
