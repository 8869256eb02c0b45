//! A contact is a company or a person (CRM-4). A person may belong to a company, which is a contact
//! too; a contact's kind never changes, so a company's people always point at a company.

mod entity;
mod graphql;
mod import;
mod rules;
mod store;

use listing::{Changed, Made, key, updated};
use tenancy::{Failure, Permission::WriteContacts, Scope, Tx};
use uuid::Uuid;

pub(crate) use entity::People;
pub use entity::{Contact, ContactKind};
use entity::{CreateContactInput, NewContact, UpdateContactInput};
pub(crate) use graphql::ContactMutation;
pub use import::{ImportContactsInput, import};

/// Adds a contact.
///
/// # Errors
/// INVALID fields; NOT_FOUND for a company the organisation does not have.
async fn create(scope: &Scope, input: CreateContactInput) -> Result<Contact, Failure> {
    let key = key("createContact", input.idempotency_key.as_ref(), &input)?;
    let new = rules::new_contact(input)?;
    let made = scope
        .write_once(WriteContacts, key, |tx| async move {
            if let Some(company_id) = new.company_id {
                require_company(&tx, company_id).await?;
            }
            Ok(Made(vec![store::insert(&tx, new).await?]))
        })
        .await?;
    made.one()
}

/// Changes the given fields of a contact that nobody has changed meanwhile.
///
/// # Errors
/// INVALID fields; NOT_FOUND for an unknown contact or company.
async fn update(scope: &Scope, input: UpdateContactInput) -> Result<Changed<Contact>, Failure> {
    let (id, revision) = (input.id.uuid("id")?, input.expected_revision);
    let patch = rules::patch(input)?;
    scope
        .write(WriteContacts, |tx| async move {
            if let Some(Some(company_id)) = patch.company_id {
                require_company(&tx, company_id).await?;
            }
            let row = store::update(&tx, id, revision, patch).await?;
            updated(&tx, id, row).await
        })
        .await
}

async fn require_company(tx: &Tx, id: Uuid) -> Result<(), Failure> {
    if store::is_company(tx, id).await? { Ok(()) } else { Err(Failure::not_found("companyId")) }
}
