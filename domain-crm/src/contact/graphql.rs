use async_graphql::{Context, Object, Result};
use listing::{Create, ImportPayload, Payload, Update, scope};

use super::{Contact, CreateContactInput, ImportContactsInput, UpdateContactInput};

#[derive(Default)]
pub(crate) struct ContactMutation;

#[Object]
impl ContactMutation {
    /// Adds a company or a person.
    async fn create_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new contact.")] input: CreateContactInput,
    ) -> Result<Payload<Create, Contact>> {
        Ok(Payload::of(super::create(scope(ctx)?, input).await)?)
    }

    /// Changes the given fields of a contact.
    async fn update_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contact, and what to change.")] input: UpdateContactInput,
    ) -> Result<Payload<Update, Contact>> {
        Ok(Payload::of_change(super::update(scope(ctx)?, input).await)?)
    }

    /// Adds the contacts of a CSV, all or none unless `skipInvalid`; with `dryRun` only tells what is
    /// wrong.
    async fn import_contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The CSV and how to read it.")] input: ImportContactsInput,
    ) -> Result<ImportPayload<Contact>> {
        Ok(ImportPayload::of(super::import(scope(ctx)?, input).await)?)
    }
}
