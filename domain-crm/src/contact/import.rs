//! Contacts from a CSV: what a row says beyond the fields of a contact.

use std::collections::HashMap;

use diesel::Column;
use listing::{Checks, CsvRow, Draft, Part, Stored, Value, Work};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;
use tenancy::{ErrorCode, Failure};
use uuid::Uuid;

use super::{
    ContactKind,
    parts::{EmailAddress, MAX_NUMBER, PhoneNumber, PostalAddress},
    store,
};
use crate::tables::contacts;

/// `company` is the name of a company in the file or among the contacts; the others are the primary
/// e-mail, telephone number and address.
pub(super) const COLUMNS: &[&str] =
    &["company", "email", "phone", "street", "postalCode", "city", "region", "country"];

/// Completes a draft from its row. Without a kind, a new row that names a company is a person, and any
/// other a company. The primary e-mail, telephone number and address are the first of their lists: a
/// contact that is changed keeps the others, and what the row does not say of these.
pub(super) fn read(row: &CsvRow, draft: &mut Draft, checks: &mut Checks) {
    if row.get("company").is_some() {
        if draft.is_new() && row.get("kind").is_none() {
            draft.set(contacts::kind, ContactKind::PERSON);
        }
        if draft.text(contacts::kind) == Some(ContactKind::COMPANY) {
            checks.invalid("company", "Only a person belongs to a company.");
        }
    }
    for (one, all) in [("email", "emails"), ("phone", "phones"), ("city", "addresses")] {
        if row.get(one).is_some() && row.get(all).is_some() {
            checks.invalid(one, format!("Fill either `{one}` or `{all}`."));
        }
    }
    let line = |field| row.get(field).map(str::to_owned);
    if let Some(address) = line("email") {
        checks.email("email", Some(&address));
        let change = |first: &mut EmailAddress| first.address.clone_from(&address);
        change_first(draft, contacts::emails, EmailAddress { address: address.clone(), label: None }, change);
    }
    if let Some(number) = line("phone") {
        checks.text("phone", Some(&number), MAX_NUMBER);
        let change = |first: &mut PhoneNumber| first.number.clone_from(&number);
        change_first(draft, contacts::phones, PhoneNumber { number: number.clone(), label: None }, change);
    }
    let mut address = PostalAddress {
        street: line("street"),
        postal_code: line("postalCode"),
        city: line("city"),
        region: line("region"),
        country: line("country"),
        label: None,
    };
    if address != PostalAddress::default() {
        address.check("", checks);
        let change = |first: &mut PostalAddress| first.fill(&address);
        change_first(draft, contacts::addresses, address.clone(), change);
    }
}

/// Changes the first part of a list, or adds one to an empty list.
fn change_first<P, C>(draft: &mut Draft, column: C, new: P, change: impl FnOnce(&mut P))
where
    P: Serialize + DeserializeOwned,
    C: Column + Copy,
{
    let current = match draft.value(column) {
        Some(Value::Json(json)) => json.clone(),
        _ => Json::Array(vec![]),
    };
    let mut parts: Vec<P> = serde_json::from_value(current).unwrap_or_default();
    match parts.first_mut() {
        Some(first) => change(first),
        None => parts.push(new),
    }
    draft.set(column, Value::Json(Stored(parts).json()));
}

/// Fills in the companies that rows name: those of the file first, then those of the organisation. A
/// name that nobody or more than one has is an error of its row.
pub(super) async fn find_companies(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
    let company = |draft: &Draft| draft.csv().and_then(|row| row.get("company")).map(str::to_owned);
    let names: Vec<String> = drafts.iter().filter_map(company).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut ids: HashMap<String, Vec<Uuid>> = HashMap::new();
    for (name, id) in store::companies_named(work, names).await? {
        ids.entry(name).or_default().push(id);
    }
    let mut in_file: HashMap<String, Vec<Uuid>> = HashMap::new();
    // A company that will not be made is nobody's.
    let is_company = |draft: &&Draft| draft.text(contacts::kind) == Some(ContactKind::COMPANY);
    for draft in drafts.iter().filter(|draft| draft.is_sound()).filter(is_company) {
        if let Some(name) = draft.text(contacts::name) {
            in_file.entry(name.to_owned()).or_default().push(draft.id());
        }
    }
    ids.extend(in_file);
    for draft in drafts {
        let Some(company) = company(draft) else { continue };
        match ids.get(&company).map(Vec::as_slice) {
            Some([id]) => draft.set(contacts::company_id, *id),
            Some([_, _, ..]) => {
                draft.wrong(ErrorCode::Conflict, "company", "Several companies have this name.");
            }
            _ => draft.wrong(ErrorCode::NotFound, "company", "No company has this name."),
        }
    }
    Ok(())
}
