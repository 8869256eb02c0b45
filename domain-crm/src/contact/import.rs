//! Contacts from a CSV.

use std::collections::HashMap;

use async_graphql::InputObject;
use listing::{Checks, CsvColumn, CsvRow, CsvSheet, ImportPayload, Made, Named, RowError, key, named};
use tenancy::{ErrorCode, Failure, Permission::WriteContacts, Scope, Tx, UserError};
use uuid::Uuid;

use super::{Contact, ContactKind, NewContact, rules, store};

/// The fields that a column can fill.
const FIELDS: &[&str] = &["kind", "name", "company", "email", "phone", "country", "notes"];
const REQUIRED: &[&str] = &["name"];

/// A CSV of contacts, UTF-8, with a first line that names the columns.
#[derive(InputObject)]
pub struct ImportContactsInput {
    /// The file's text: at most 1,000 rows.
    pub csv: String,
    /// Which column fills which field (`kind`, `name`, `company`, `email`, `phone`, `country`,
    /// `notes`). Columns with the name of a field need no entry; others are ignored. `kind` is
    /// COMPANY or PERSON; without it a row that names a company is a person, and any other a
    /// company. `company` is the name of a company in the file or among the contacts.
    pub columns: Option<Vec<CsvColumn>>,
    /// Only tell what would happen.
    #[graphql(default)]
    pub dry_run: bool,
    /// Import the rows that are in order and leave the others out, instead of none at all.
    #[graphql(default)]
    pub skip_invalid: bool,
    /// Any text that names this wish: repeated with the same input it answers the same contacts
    /// again, for 24 hours.
    pub idempotency_key: Option<String>,
}

/// Reads a CSV and adds its contacts: all of them, or none if a row is wrong, unless told to skip
/// those.
///
/// # Errors
/// INVALID for what is no CSV, LIMIT_REACHED for too many rows.
pub async fn import(scope: &Scope, input: ImportContactsInput) -> Result<ImportPayload<Contact>, Failure> {
    scope.require(WriteContacts)?;
    let key = key("importContacts", input.idempotency_key.as_ref(), &input)?;
    let sheet = CsvSheet::read(&input.csv, input.columns.as_deref().unwrap_or_default(), FIELDS, REQUIRED)?;
    let (mut drafts, mut errors) = (vec![], sheet.errors);
    for row in sheet.rows {
        match draft(&row) {
            Ok(new) => drafts.push((row, new)),
            Err(found) => errors.extend(found.into_iter().map(|error| row.error(error))),
        }
    }
    let (found, mut valid) = (&mut errors, None);
    let counted = &mut valid;
    let (dry_run, skip_invalid) = (input.dry_run, input.skip_invalid);
    let made = scope.write_once(WriteContacts, key, |tx| async move {
        let new = with_companies(&tx, drafts, found).await?;
        *counted = Some(new.len());
        if dry_run || new.is_empty() || !(found.is_empty() || skip_invalid) {
            // What writes nothing does not use its key up: it ends like a mistake, but without one.
            return Err(Failure::User(vec![]));
        }
        store::insert_all(&tx, new).await.map(Made)
    });
    let created = match made.await {
        Err(Failure::User(none)) if none.is_empty() => vec![],
        made => made?.0,
    };
    // A repetition counts what the first one made.
    let valid = valid.unwrap_or(created.len());
    Ok(ImportPayload::new(created, valid, errors, sheet.ignored))
}

/// A row as a contact; its company is still a name.
fn draft(row: &CsvRow) -> Result<NewContact, Vec<UserError>> {
    let mut checks = Checks::default();
    let text = |field| row.get(field).map(str::to_owned);
    let kind = match row.get("kind").map(str::to_uppercase) {
        None if row.get("company").is_some() => ContactKind::Person,
        None => ContactKind::Company,
        Some(given) => named(&given).unwrap_or_else(|| {
            checks.invalid("kind", "A contact is COMPANY or PERSON.");
            ContactKind::Person
        }),
    };
    if kind == ContactKind::Company && row.get("company").is_some() {
        checks.invalid("company", "Only a person belongs to a company.");
    }
    let new = NewContact {
        id: Uuid::now_v7(),
        kind: Named(kind),
        company_id: None,
        name: text("name").unwrap_or_default(),
        email: text("email"),
        phone: text("phone"),
        country: text("country"),
        notes: text("notes"),
    };
    rules::check_new(&mut checks, &new);
    checks.text("company", row.get("company"), rules::MAX_NAME);
    let errors = checks.errors();
    if errors.is_empty() { Ok(new) } else { Err(errors) }
}

/// The drafts with the ids of their companies: those of the file first, then those of the
/// organisation. A name that nobody or more than one has is an error of its row.
async fn with_companies(
    tx: &Tx,
    drafts: Vec<(CsvRow, NewContact)>,
    errors: &mut Vec<RowError>,
) -> Result<Vec<NewContact>, Failure> {
    let names: Vec<String> =
        drafts.iter().filter_map(|(row, _)| row.get("company")).map(str::to_owned).collect();
    let mut ids: HashMap<String, Vec<Uuid>> = HashMap::new();
    if !names.is_empty() {
        for (name, id) in store::companies_named(tx, names).await? {
            ids.entry(name).or_default().push(id);
        }
    }
    let mut in_file: HashMap<String, Vec<Uuid>> = HashMap::new();
    for (_, new) in drafts.iter().filter(|(_, new)| new.kind.0 == ContactKind::Company) {
        in_file.entry(new.name.clone()).or_default().push(new.id);
    }
    ids.extend(in_file);
    let mut complete = Vec::with_capacity(drafts.len());
    for (row, mut new) in drafts {
        let wrong = |code, message: &str| row.error(UserError::new(code, "company", message));
        if let Some(company) = row.get("company") {
            match ids.get(company).map(Vec::as_slice) {
                Some([id]) => new.company_id = Some(*id),
                Some([_, _, ..]) => {
                    errors.push(wrong(ErrorCode::Conflict, "Several companies have this name."));
                    continue;
                }
                _ => {
                    errors.push(wrong(ErrorCode::NotFound, "No company has this name."));
                    continue;
                }
            }
        }
        complete.push(new);
    }
    Ok(complete)
}
