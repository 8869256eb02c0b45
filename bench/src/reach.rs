//! How a contact is reached, as the API and the table spell it: the one place that knows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;

/// The table's columns, in the order of [`values`] and [`Reach::parameters`].
pub(crate) const COLUMNS: &str = "emails, phones, addresses";

/// SQL that gives [`COLUMNS`] from SQL expressions of an address, a number and a country.
pub(crate) fn values(email: &str, phone: &str, country: &str) -> String {
    let list = |key, value| format!("jsonb_build_array(jsonb_build_object('{key}', {value}))");
    [list("address", email), list("number", phone), list("country", country)].join(", ")
}

/// The fields of a new contact that say how to reach it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reach {
    emails: Value,
    phones: Value,
    addresses: Value,
}

impl Reach {
    /// With one of each.
    pub(crate) fn new(email: &str, phone: &str, country: &str) -> Self {
        Self {
            emails: json!([{ "address": email }]),
            phones: json!([{ "number": phone }]),
            addresses: json!([{ "country": country }]),
        }
    }

    /// The values of [`COLUMNS`].
    pub(crate) fn values(self) -> [Value; 3] {
        [self.emails, self.phones, self.addresses]
    }

    /// What an insert binds for [`COLUMNS`].
    pub(crate) fn parameters(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.emails, &self.phones, &self.addresses]
    }
}
