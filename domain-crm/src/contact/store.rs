//! SQL of contacts, beyond what every entity has.

use diesel::prelude::*;
use tenancy::{Failure, Tx};
use uuid::Uuid;

use super::{Contact, ContactKind, NewContact, entity::ContactPatch};
use crate::tables::contacts;
use listing::Named;

const COMPANY: Named<ContactKind> = Named(ContactKind::Company);

pub(super) async fn insert(tx: &Tx, new: NewContact) -> Result<Contact, Failure> {
    let row = tx.row(diesel::insert_into(contacts::table).values(new).returning(Contact::as_select()));
    row.await?.ok_or_else(|| Failure::internal("an insert returned nothing"))
}

/// Many in one statement, which is prepared anew for every number of rows.
pub(super) async fn insert_all(tx: &Tx, new: Vec<NewContact>) -> Result<Vec<Contact>, Failure> {
    tx.rows(diesel::insert_into(contacts::table).values(new).returning(Contact::as_select())).await
}

pub(super) async fn update(
    tx: &Tx,
    id: Uuid,
    revision: i32,
    patch: ContactPatch,
) -> Result<Option<Contact>, Failure> {
    let current =
        contacts::id.eq(id).and(contacts::revision.eq(revision)).and(contacts::deleted_at.is_null());
    // The trigger sets updated_at; naming it here keeps an empty patch a valid statement.
    let change = (patch, contacts::updated_at.eq(contacts::updated_at));
    tx.row(diesel::update(contacts::table.filter(current)).set(change).returning(Contact::as_select())).await
}

pub(super) async fn is_company(tx: &Tx, id: Uuid) -> Result<bool, Failure> {
    let company = contacts::id.eq(id).and(contacts::kind.eq(COMPANY)).and(contacts::deleted_at.is_null());
    let query = contacts::table.filter(company).select(contacts::id);
    Ok(tx.row::<_, Uuid, _>(query).await?.is_some())
}

/// The ids of companies by their names.
pub(super) async fn companies_named(tx: &Tx, names: Vec<String>) -> Result<Vec<(String, Uuid)>, Failure> {
    let company = contacts::kind.eq(COMPANY).and(contacts::deleted_at.is_null());
    let query = contacts::table
        .filter(contacts::name.eq_any(names).and(company))
        .select((contacts::name, contacts::id));
    tx.rows(query).await
}
