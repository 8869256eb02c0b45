//! SQL of contacts, beyond what every entity has.

use diesel::prelude::*;
use listing::Work;
use tenancy::Failure;
use uuid::Uuid;

use super::{Contact, ContactKind};
use crate::tables::contacts;

/// The ids of the companies that the session sees, by their names.
pub(super) async fn companies_named(
    work: &Work<'_>,
    names: Vec<String>,
) -> Result<Vec<(String, Uuid)>, Failure> {
    let company = contacts::kind.eq(ContactKind::COMPANY).and(work.seen::<Contact>());
    let query = contacts::table
        .filter(contacts::name.eq_any(names).and(company))
        .select((contacts::name, contacts::id));
    work.tx().rows(query).await
}
