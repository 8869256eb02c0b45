//! Every answer of the load is read and checked.
//!
//! PostGraphile's documents rename its fields ([`crate::peer`]), so that one form fits all.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, de::IgnoredAny};
use uuid::Uuid;

use crate::{
    case::{Wish, company_name},
    type_id::{self, Contact},
};

/// How a server spells ids.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ids {
    /// With a prefix.
    TypeId,
    /// As PostgreSQL does.
    Uuid,
}

impl Ids {
    fn read(self, id: &str) -> Result<Uuid> {
        match self {
            Self::TypeId => type_id::decode::<Contact>(id),
            Self::Uuid => Ok(Uuid::try_parse(id)?),
        }
    }
}

/// What an answer is held against.
pub(crate) struct Expected {
    /// What was asked.
    pub(crate) wish: Wish,
    /// By whom it is answered.
    pub(crate) ids: Ids,
    /// How many contacts the tenant has had from the beginning.
    pub(crate) contacts: usize,
}

/// The most groups that the documents ask for.
pub(crate) const MOST_GROUPS: usize = 200;

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
    contact: Option<Named<'a>>,
    #[serde(borrow)]
    contacts: Option<Page<'a>>,
    #[serde(borrow)]
    contacts_aggregate: Option<Vec<Group<'a>>>,
    #[serde(borrow)]
    create_contact: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    id: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    total_count: Option<usize>,
    #[serde(borrow, default)]
    nodes: Vec<Node<'a>>,
    #[serde(borrow)]
    groups: Option<Vec<PeerGroup<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    id: &'a str,
    created_at: Option<&'a str>,
    country: Option<&'a str>,
    #[serde(borrow)]
    company: Option<Named<'a>>,
    #[serde(borrow)]
    people: Option<Page<'a>>,
}

#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow, rename = "key")]
    _key: Key<'a>,
    count: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key<'a> {
    #[serde(rename = "country")]
    _country: &'a str,
    #[serde(rename = "createdAt")]
    _created_at: &'a str,
}

/// A group as PostGraphile has it.
#[derive(Deserialize)]
struct PeerGroup<'a> {
    #[serde(borrow, rename = "keys")]
    _keys: [&'a str; 2],
    #[serde(borrow)]
    count: PeerCount<'a>,
}

#[derive(Deserialize)]
struct PeerCount<'a> {
    rows: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    contact: Option<Named<'a>>,
    #[serde(default)]
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
    let ids = expected.ids;
    let page = || data.contacts.as_ref().context("no contacts");
    match expected.wish {
        Wish::Contact(id) => {
            let contact = data.contact.as_ref().context("no contact")?;
            ensure!(ids.read(contact.id)? == id, "another contact");
        }
        Wish::Newest => newest(page()?, ids)?,
        Wish::Persons(country) => persons(page()?, country, ids)?,
        Wish::Counts => {
            let counts = counts(data)?;
            let total: usize = counts.iter().sum();
            // More only if some were made meanwhile, and fewer only if groups were left out.
            ensure!(
                total >= expected.contacts || counts.len() == MOST_GROUPS,
                "{total} contacts in {} groups",
                counts.len()
            );
        }
        Wish::Companies => companies(page()?, expected)?,
        Wish::NewCompany(number) => {
            let payload = data.create_contact.as_ref().context("no payload")?;
            ensure!(payload.user_errors.is_empty(), "user errors");
            let contact = payload.contact.as_ref().context("no contact")?;
            ids.read(contact.id)?;
            ensure!(contact.name == company_name(number), "another contact");
        }
    }
    Ok(())
}

fn newest(page: &Page, ids: Ids) -> Result<()> {
    ensure!(page.nodes.len() == 20, "{} contacts", page.nodes.len());
    let mut companies = 0;
    for node in &page.nodes {
        ids.read(node.id)?;
        ensure!(node.created_at.is_some(), "no instant");
        if let Some(company) = &node.company {
            ids.read(company.id)?;
            companies += 1;
        }
    }
    ensure!(companies > 0, "no company among them");
    Ok(())
}

fn persons(page: &Page, country: &str, ids: Ids) -> Result<()> {
    let total = page.total_count.context("no total")?;
    ensure!(total > 0 && page.nodes.len() == total.min(20), "{} of {total}", page.nodes.len());
    for node in &page.nodes {
        ids.read(node.id)?;
        ensure!(node.country == Some(country), "another country");
    }
    Ok(())
}

fn companies(page: &Page, expected: &Expected) -> Result<()> {
    ensure!(page.nodes.len() == 10, "{} companies", page.nodes.len());
    for node in &page.nodes {
        expected.ids.read(node.id)?;
        let people = node.people.as_ref().context("no people")?;
        ensure!(people.nodes.len() == 5, "{} people", people.nodes.len());
        for person in &people.nodes {
            expected.ids.read(person.id)?;
            ensure!(person.created_at.is_some(), "no instant");
        }
    }
    Ok(())
}

fn counts(data: &Data) -> Result<Vec<usize>> {
    if let Some(groups) = &data.contacts_aggregate {
        return Ok(groups.iter().map(|group| group.count).collect());
    }
    let Some(groups) = data.contacts.as_ref().and_then(|page| page.groups.as_ref()) else {
        bail!("no groups");
    };
    groups.iter().map(|group| Ok(group.count.rows.parse()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(answer: &str, wish: Wish) -> bool {
        check(answer.as_bytes(), &Expected { wish, ids: Ids::TypeId, contacts: 3 }).is_ok()
    }

    #[test]
    fn only_the_contact_asked_for_is_right() {
        let wish = Wish::Contact(Uuid::from_u128(1));
        let id = "contact_00000000000000000000000001";
        let other = "contact_00000000000000000000000002";
        let answer = |id| format!(r#"{{"data":{{"contact":{{"id":"{id}","name":"A \"b\""}}}}}}"#);
        assert!(is_right(&answer(id), wish));
        assert!(!is_right(&answer(other), wish));
        assert!(!is_right(r#"{"data":{"contact":null}}"#, wish));
        assert!(!is_right(&answer(id).replace(r#"{"data""#, r#"{"errors":[{}],"data""#), wish));
    }

    #[test]
    fn counts_in_either_form_must_cover_all_contacts() {
        let service = |count: usize| {
            format!(
                r#"{{"data":{{"contactsAggregate":[{{"key":{{"country":"DE","createdAt":"x"}},"count":{count}}}]}}}}"#
            )
        };
        assert!(is_right(&service(3), Wish::Counts));
        assert!(!is_right(&service(2), Wish::Counts));
        let peer = |count: usize| {
            format!(
                r#"{{"data":{{"contacts":{{"groups":[{{"keys":["DE","x"],"count":{{"rows":"{count}"}}}}]}}}}}}"#
            )
        };
        assert!(is_right(&peer(3), Wish::Counts));
        assert!(!is_right(&peer(2), Wish::Counts));
    }

    #[test]
    fn persons_of_another_country_are_wrong() {
        let answer = r#"{"data":{"contacts":{"totalCount":1,"nodes":[
            {"id":"contact_00000000000000000000000001","name":"A","country":"DE"}]}}}"#;
        assert!(is_right(answer, Wish::Persons("DE")));
        assert!(!is_right(answer, Wish::Persons("AT")));
        assert!(!is_right(&answer.replace("Count\":1", "Count\":2"), Wish::Persons("DE")));
    }

    #[test]
    fn user_errors_are_wrong() {
        let payload = |errors: &str| {
            format!(
                r#"{{"data":{{"createContact":{{"contact":{{"id":"contact_00000000000000000000000001","name":"Made 7"}},"userErrors":{errors}}}}}}}"#
            )
        };
        assert!(is_right(&payload("[]"), Wish::NewCompany(7)));
        assert!(!is_right(&payload("[]"), Wish::NewCompany(8)));
        assert!(!is_right(&payload(r#"[{"code":"INVALID"}]"#), Wish::NewCompany(7)));
    }
}
