//! What is asked: the cases, each a GraphQL request and what its answer must show.

use anyhow::Result;
use clap::ValueEnum;
use rand::{Rng, RngExt, seq::IndexedRandom};
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::{self, Expected},
    target::Tenant,
    type_id::{self, Contact},
};

const BY_ID: &str = "query($id: ID!) { contact(id: $id) { id name email phone country } }";

const NEWEST: &str =
    "{ contacts(first: 20) { nodes { id name email createdAt company { id name email } } } }";

const CREATE: &str = "mutation($input: CreateContactInput!) { createContact(input: $input) { \
    contact { id name email revision } userErrors { code message field } } }";

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Case {
    /// One contact: what a request costs at least.
    ById,
    /// The 20 newest contacts, each with its company: the nested list.
    Newest,
    /// A new company: what a change costs, with its audit row.
    Create,
}

/// A request ready to be sent, and what to hold its answer against.
pub(crate) struct Question {
    /// The GraphQL request.
    pub(crate) body: String,
    expected: Expected,
}

impl Case {
    /// In the order they are measured: what adds rows comes last.
    pub(crate) const ALL: [Self; 3] = [Self::ById, Self::Newest, Self::Create];

    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ById => "by_id",
            Self::Newest => "newest",
            Self::Create => "create",
        }
    }

    /// Where the floor answers it.
    pub(crate) fn floor_path(self) -> &'static str {
        match self {
            Self::ById => "/by_id",
            Self::Newest => "/newest",
            Self::Create => "/create",
        }
    }

    /// A request of this kind by a user of the tenant.
    pub(crate) fn question(self, tenant: &Tenant, random: &mut impl Rng) -> Question {
        match self {
            Self::ById => {
                let id = tenant.contacts.choose(random).copied().unwrap_or_default();
                let id = type_id::encode::<Contact>(id).to_string();
                let body = json!({ "query": BY_ID, "variables": { "id": id } }).to_string();
                Question { body, expected: Expected::Contact(id) }
            }
            Self::Newest => {
                Question { body: json!({ "query": NEWEST }).to_string(), expected: Expected::Page(20) }
            }
            Self::Create => {
                let number: u32 = random.random();
                let name = format!("Made {number}");
                let body = json!({ "query": CREATE, "variables": { "input": {
                    "kind": "COMPANY",
                    "name": name,
                    "email": format!("office@made{number}.example"),
                    "phone": "+49 30 123456",
                    "country": "DE",
                }}});
                Question { body: body.to_string(), expected: Expected::Created(name) }
            }
        }
    }
}

impl Question {
    /// Refuses an answer that is wrong: the numbers of a server that fails fast are worth nothing.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<()> {
        answer::check(answer, &self.expected)
    }
}
