//! Every answer of the load is read and checked.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, de::IgnoredAny};

/// What an answer must show.
pub(crate) enum Expected {
    /// The contact of this id.
    Contact(String),
    /// So many contacts, companies among them.
    Page(usize),
    /// A new contact of this name.
    Created(String),
}

// Borrows from the answer: the load generator shares the machine with what it measures.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
    errors: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    contact: Option<Contact<'a>>,
    #[serde(borrow)]
    contacts: Option<Page<'a>>,
    #[serde(borrow)]
    create_contact: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Contact<'a> {
    id: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    nodes: Vec<Node<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    id: &'a str,
    #[serde(rename = "createdAt")]
    _created_at: &'a str,
    #[serde(borrow)]
    company: Option<Contact<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    contact: Option<Contact<'a>>,
    user_errors: Vec<IgnoredAny>,
}

/// Holds an answer against what was expected of it.
pub(crate) fn check(answer: &[u8], expected: &Expected) -> Result<()> {
    read(answer)
        .and_then(|answer| hold(&answer, expected))
        .with_context(|| format!("a wrong answer: {}", String::from_utf8_lossy(answer)))
}

fn read(answer: &[u8]) -> Result<Data<'_>> {
    let answer: Answer = serde_json::from_slice(answer)?;
    ensure!(answer.errors.is_none(), "errors");
    answer.data.context("no data")
}

fn hold(data: &Data, expected: &Expected) -> Result<()> {
    match expected {
        Expected::Contact(id) => {
            let contact = data.contact.as_ref().context("no contact")?;
            ensure!(contact.id == id, "another contact");
        }
        Expected::Page(size) => {
            let nodes = &data.contacts.as_ref().context("no contacts")?.nodes;
            ensure!(nodes.len() == *size, "{} contacts", nodes.len());
            ensure!(nodes.iter().all(|node| is_contact(node.id)), "an id of something else");
            let mut companies = nodes.iter().filter_map(|node| node.company.as_ref()).peekable();
            ensure!(companies.peek().is_some(), "no company among them");
            ensure!(companies.all(|company| is_contact(company.id)), "a company's id of something else");
        }
        Expected::Created(name) => {
            let payload = data.create_contact.as_ref().context("no payload")?;
            ensure!(payload.user_errors.is_empty(), "user errors");
            let contact = payload.contact.as_ref().context("no contact")?;
            ensure!(is_contact(contact.id) && contact.name == *name, "another contact");
        }
    }
    Ok(())
}

fn is_contact(id: &str) -> bool {
    id.starts_with("contact_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(answer: &str, expected: &Expected) -> bool {
        check(answer.as_bytes(), expected).is_ok()
    }

    #[test]
    fn only_the_contact_asked_for_is_right() {
        let expected = Expected::Contact("contact_1".into());
        assert!(is_right(r#"{"data":{"contact":{"id":"contact_1","name":"A \"b\""}}}"#, &expected));
        assert!(!is_right(r#"{"data":{"contact":{"id":"contact_2","name":"A"}}}"#, &expected));
        assert!(!is_right(r#"{"data":{"contact":null}}"#, &expected));
        assert!(!is_right(r#"{"data":{"contact":{"id":"contact_1","name":"A"}},"errors":[{}]}"#, &expected));
    }

    #[test]
    fn user_errors_are_wrong() {
        let expected = Expected::Created("A".into());
        let payload = |errors: &str| {
            format!(
                r#"{{"data":{{"createContact":{{"contact":{{"id":"contact_1","name":"A"}},"userErrors":{errors}}}}}}}"#
            )
        };
        assert!(is_right(&payload("[]"), &expected));
        assert!(!is_right(&payload(r#"[{"code":"INVALID"}]"#), &expected));
    }
}
