//! Pure rules of a contact.

use async_graphql::MaybeUndefined;
use listing::{Checks, Named};
use tenancy::Failure;
use uuid::Uuid;

use super::{ContactKind, CreateContactInput, NewContact, UpdateContactInput, entity::ContactPatch};

/// The longest name of a contact.
pub(super) const MAX_NAME: usize = 255;
const MAX_PHONE: usize = 50;
const MAX_COUNTRY: usize = 100;
const MAX_NOTES: usize = 10_000;

/// The row of a new contact.
pub(super) fn new_contact(input: CreateContactInput) -> Result<NewContact, Failure> {
    let company_id = input.company_id.map(|id| id.uuid("companyId")).transpose()?;
    let new = NewContact {
        id: Uuid::now_v7(),
        kind: Named(input.kind),
        company_id,
        name: input.name.trim().to_owned(),
        email: tidy(input.email),
        phone: tidy(input.phone),
        country: tidy(input.country),
        notes: tidy(input.notes),
    };
    let mut checks = Checks::default();
    check_new(&mut checks, &new);
    checks.finish()?;
    Ok(new)
}

/// What is wrong with the row of a new contact.
pub(super) fn check_new(checks: &mut Checks, new: &NewContact) {
    checks.required("name", &new.name, MAX_NAME);
    check_details(checks, [&new.email, &new.phone, &new.country, &new.notes].map(Option::as_deref));
    if new.company_id.is_some() && new.kind.0 == ContactKind::Company {
        checks.invalid("companyId", "Only a person belongs to a company.");
    }
}

/// The changes that an update asks for.
pub(super) fn patch(input: UpdateContactInput) -> Result<ContactPatch, Failure> {
    let company_id = match input.company_id {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(id) => Some(Some(id.uuid("companyId")?)),
    };
    let patch = ContactPatch {
        // A null is an empty name, and refused as one.
        name: Option::<Option<String>>::from(input.name)
            .map(|name| name.unwrap_or_default().trim().to_owned()),
        company_id,
        email: tidy_change(input.email),
        phone: tidy_change(input.phone),
        country: tidy_change(input.country),
        notes: tidy_change(input.notes),
    };
    let mut checks = Checks::default();
    if let Some(name) = &patch.name {
        checks.required("name", name, MAX_NAME);
    }
    let details = [&patch.email, &patch.phone, &patch.country, &patch.notes];
    check_details(&mut checks, details.map(|change| change.as_ref().and_then(Option::as_deref)));
    checks.finish()?;
    Ok(patch)
}

fn check_details(checks: &mut Checks, [email, phone, country, notes]: [Option<&str>; 4]) {
    checks.email("email", email);
    checks.text("phone", phone, MAX_PHONE);
    checks.text("country", country, MAX_COUNTRY);
    checks.multiline("notes", notes, MAX_NOTES);
}

/// Text without its edges; blank text is none.
pub(super) fn tidy(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn tidy_change(change: MaybeUndefined<String>) -> Option<Option<String>> {
    Option::<Option<String>>::from(change).map(tidy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> CreateContactInput {
        CreateContactInput {
            kind: ContactKind::Company,
            name: name.into(),
            company_id: None,
            email: None,
            phone: None,
            country: None,
            notes: None,
            idempotency_key: None,
        }
    }

    fn fields(outcome: Result<NewContact, Failure>) -> Vec<String> {
        match outcome {
            Err(Failure::User(errors)) => {
                errors.into_iter().flat_map(|e| e.field.unwrap_or_default()).collect()
            }
            _ => vec![],
        }
    }

    #[test]
    fn edges_are_trimmed_and_blanks_are_empty() {
        let new = new_contact(CreateContactInput { phone: Some("  ".into()), ..named(" Ada ") }).unwrap();
        assert_eq!((new.name.as_str(), new.phone), ("Ada", None));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let input = CreateContactInput { email: Some("x".into()), phone: Some("1".repeat(51)), ..named("") };
        assert_eq!(fields(new_contact(input)), ["name", "email", "phone"]);
    }

    #[test]
    fn a_null_empties_and_an_absent_field_stays() {
        assert_eq!(tidy_change(MaybeUndefined::Undefined), None);
        assert_eq!(tidy_change(MaybeUndefined::Null), Some(None));
        assert_eq!(tidy_change(MaybeUndefined::Value(" a ".into())), Some(Some("a".into())));
    }
}
