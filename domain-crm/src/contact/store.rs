//! SQL of contacts, beyond what every entity has.

use diesel::prelude::*;
use tenancy::{Failure, Tx};
use uuid::Uuid;

use super::ContactKind;
use crate::tables::contacts;

/// The ids of companies by their names.
pub(super) async fn companies_named(tx: &Tx, names: Vec<String>) -> Result<Vec<(String, Uuid)>, Failure> {
    let company = contacts::kind.eq(ContactKind::COMPANY).and(contacts::deleted_at.is_null());
    let query = contacts::table
        .filter(contacts::name.eq_any(names).and(company))
        .select((contacts::name, contacts::id));
    tx.rows(query).await
}
