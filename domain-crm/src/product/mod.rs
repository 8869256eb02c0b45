//! A product is what an organisation sells, goods and services alike (CRM-6): what it costs us, what
//! a client pays, and the margin between the two (CRM-15).

mod entity;

use listing::{Editable, Nothing};
use tenancy::Permission;

pub use entity::Product;

impl Editable for Product {
    const WRITE: Permission = Permission::WriteProducts;
    type Further = Nothing;
    const NATURAL_KEY: Option<&'static str> = Some("externalId");
}
