//! The list from plain rows: PostgreSQL hands out columns, and the JSON is written here.

use std::fmt;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use tokio_postgres::Row;
use type_safe_id::TypeSafeId;
use uuid::Uuid;

use crate::type_id::{self, Contact};

/// As cheap as PostgreSQL gives a page of contacts, each with its company.
pub(super) const NEWEST: &str = "SELECT c.id, c.name, c.email, c.created_at, k.id, k.name, k.email
    FROM contacts c
    LEFT JOIN contacts k ON k.organisation_id = c.organisation_id AND k.id = c.company_id AND k.deleted_at IS NULL
    WHERE c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 20";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    id: Id,
    name: &'a str,
    email: Option<&'a str>,
    created_at: DateTime<Utc>,
    company: Option<Company<'a>>,
}

#[derive(Serialize)]
struct Company<'a> {
    id: Id,
    name: &'a str,
    email: Option<&'a str>,
}

struct Id(Uuid);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: TypeSafeId<Contact> = type_id::encode(self.0);
        id.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    contacts: Page<'a>,
}

#[derive(Serialize)]
struct Page<'a> {
    nodes: Vec<Node<'a>>,
}

/// The whole answer.
pub(super) fn answer(rows: &[Row]) -> Result<String> {
    let nodes = rows.iter().map(node).collect::<Result<_>>()?;
    Ok(serde_json::to_string(&Answer { data: Data { contacts: Page { nodes } } })?)
}

fn node(row: &Row) -> Result<Node<'_>> {
    let company = match row.try_get::<_, Option<Uuid>>(4)? {
        Some(id) => Some(Company { id: Id(id), name: row.try_get(5)?, email: row.try_get(6)? }),
        None => None,
    };
    Ok(Node {
        id: Id(row.try_get(0)?),
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        created_at: row.try_get(3)?,
        company,
    })
}
