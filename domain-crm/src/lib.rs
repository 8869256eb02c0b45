//! Customer relations: the companies and persons an organisation deals with, and what it sells.

mod constraints;
mod contact;
mod graphql;
mod product;
mod tables;

pub use constraints::CONSTRAINTS;
pub use contact::{Contact, ContactKind};
pub use graphql::{ENTITIES, mutations, queries};
pub use product::Product;
