//! A contact is a company or a person (CRM-4). A person may belong to a company, which is a contact
//! too; a contact's kind never changes, so a company's people always point at a company.

mod entity;
mod import;
mod parts;
mod store;

use listing::{Checks, CsvRow, Draft, Editable, Nothing, Work};
use tenancy::{Failure, Permission};

pub use entity::{Contact, ContactKind};

use crate::tables::contacts;

impl Editable for Contact {
    const WRITE: Permission = Permission::WriteContacts;
    type Further = Nothing;
    const NATURAL_KEY: Option<&'static str> = Some("externalId");
    const CSV_COLUMNS: &'static [&'static str] = import::COLUMNS;

    fn check(draft: &Draft, checks: &mut Checks) {
        // A change does not tell the kind; there the table itself refuses.
        let is_company = draft.text(contacts::kind) == Some(ContactKind::COMPANY);
        if is_company && draft.has(contacts::company_id) {
            checks.invalid("companyId", "Only a person belongs to a company.");
        }
    }

    fn from_csv(row: &CsvRow, draft: &mut Draft, checks: &mut Checks) {
        import::read(row, draft, checks);
    }

    async fn complete(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
        import::find_companies(work, drafts).await
    }
}
