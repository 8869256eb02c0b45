//! What a contact has several of.

use async_graphql::{InputObject, SimpleObject};
use listing::{Checks, Part, PartField, tidy};
use serde::{Deserialize, Serialize};

const MAX_LABEL: usize = 50;
/// The longest telephone number.
pub(super) const MAX_NUMBER: usize = 50;
const MAX_LINE: usize = 200;

/// An e-mail address of a contact.
#[derive(SimpleObject, InputObject, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[graphql(input_name = "EmailAddressInput")]
#[serde(rename_all = "camelCase")]
pub struct EmailAddress {
    /// The address, at most 254 characters.
    pub address: String,
    /// What it is for: `work`. At most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A telephone number of a contact.
#[derive(SimpleObject, InputObject, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[graphql(input_name = "PhoneNumberInput")]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// The number as it was written down, at most 50 characters.
    pub number: String,
    /// What it is for: `mobile`. At most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A postal address of a contact. Each line has at most 200 characters.
#[derive(SimpleObject, InputObject, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[graphql(input_name = "PostalAddressInput")]
#[serde(rename_all = "camelCase")]
pub struct PostalAddress {
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The country, as it was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What it is for: `billing`. At most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl PostalAddress {
    /// Takes over the lines that `other` has.
    pub(super) fn fill(&mut self, other: &Self) {
        let lines = [
            (&mut self.street, &other.street),
            (&mut self.postal_code, &other.postal_code),
            (&mut self.city, &other.city),
            (&mut self.region, &other.region),
            (&mut self.country, &other.country),
        ];
        for (own, other) in lines.into_iter().filter(|(_, other)| other.is_some()) {
            own.clone_from(other);
        }
    }
}

impl Part for EmailAddress {
    const NAME: &'static str = "EmailAddress";
    const KEY: &'static str = "address";
    // As the column of the primary one.
    const FIELDS: &'static [PartField] =
        &[PartField::collated("address", "email_address"), PartField::text("label")];

    fn check(&mut self, at: &str, checks: &mut Checks) {
        self.address = tidy(&self.address).to_owned();
        checks.email(&format!("{at}.address"), Some(&self.address));
        label(&mut self.label, at, checks);
    }
}

impl Part for PhoneNumber {
    const NAME: &'static str = "PhoneNumber";
    const KEY: &'static str = "number";
    const FIELDS: &'static [PartField] = &[PartField::text("number"), PartField::text("label")];

    fn check(&mut self, at: &str, checks: &mut Checks) {
        self.number = tidy(&self.number).to_owned();
        checks.required(&format!("{at}.number"), &self.number, MAX_NUMBER);
        label(&mut self.label, at, checks);
    }
}

impl Part for PostalAddress {
    const NAME: &'static str = "PostalAddress";
    const KEY: &'static str = "city";
    const FIELDS: &'static [PartField] = &[
        PartField::text("street"),
        PartField::text("postalCode"),
        PartField::text("city"),
        PartField::text("region"),
        PartField::text("country"),
        PartField::text("label"),
    ];

    fn check(&mut self, at: &str, checks: &mut Checks) {
        let lines = [
            ("street", &mut self.street),
            ("postalCode", &mut self.postal_code),
            ("city", &mut self.city),
            ("region", &mut self.region),
            ("country", &mut self.country),
        ];
        let mut blank = true;
        for (name, line) in lines {
            trim(line);
            blank &= line.is_none();
            let place = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
            checks.text(&place, line.as_deref(), MAX_LINE);
        }
        if blank {
            checks.invalid(at, "This address is empty.");
        }
        label(&mut self.label, at, checks);
    }
}

fn label(label: &mut Option<String>, at: &str, checks: &mut Checks) {
    trim(label);
    checks.text(&format!("{at}.label"), label.as_deref(), MAX_LABEL);
}

/// Text without its edges; blank text is none.
fn trim(text: &mut Option<String>) {
    *text = text.take().map(|text| tidy(&text).to_owned()).filter(|text| !text.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(part: &mut impl Part) -> Vec<String> {
        let mut checks = Checks::default();
        part.check("parts.0", &mut checks);
        checks.errors().into_iter().map(|error| error.field.unwrap_or_default().join(".")).collect()
    }

    #[test]
    fn edges_are_trimmed_and_blanks_are_none() {
        let mut email = EmailAddress { address: " a@b.example ".into(), label: Some(" ".into()) };
        assert_eq!(wrong(&mut email), Vec::<String>::new());
        assert_eq!(email, EmailAddress { address: "a@b.example".into(), label: None });
    }

    #[test]
    fn each_mistake_is_named_where_it_stands() {
        let mut email = EmailAddress { address: "nobody".into(), label: Some("x".repeat(51)) };
        assert_eq!(wrong(&mut email), ["parts.0.address", "parts.0.label"]);
        let mut phone = PhoneNumber { number: " ".into(), label: None };
        assert_eq!(wrong(&mut phone), ["parts.0.number"]);
        let mut address = PostalAddress { label: Some("home".into()), ..PostalAddress::default() };
        assert_eq!(wrong(&mut address), ["parts.0"]);
    }
}
