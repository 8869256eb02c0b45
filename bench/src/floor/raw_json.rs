//! JSON on its way from PostgreSQL to the client, untouched but for its ids.

use std::{error::Error, fmt::Write};

use anyhow::{Context, Result};
use tokio_postgres::types::{FromSql, Type, accepts};
use uuid::Uuid;

use crate::type_id::{self, Contact};

/// PostgreSQL's `json` as the text it is; read as `text` it would need a cast, which copies.
pub(super) struct RawJson<'a>(pub(super) &'a str);

impl<'a> FromSql<'a> for RawJson<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?))
    }

    accepts!(JSON);
}

/// Before every id, and nowhere else: inside a string the quotes would be escaped.
const ID_FIELD: &str = r#""id":""#;

/// How long a UUID is in PostgreSQL's spelling.
const UUID_LENGTH: usize = 36;

/// Copies JSON and turns its contacts' UUIDs into TypeIDs, which plain SQL has no function for.
pub(super) fn push_with_type_ids(json: &str, out: &mut String) -> Result<()> {
    let mut parts = json.split(ID_FIELD);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (id, rest) = part.split_at_checked(UUID_LENGTH).context("a short id")?;
        out.push_str(ID_FIELD);
        write!(out, "{}", type_id::encode::<Contact>(Uuid::try_parse(id)?))?;
        out.push_str(rest);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_change_and_look_alikes_stay() {
        let id = Uuid::from_u128(1);
        let json = format!(r#"[{{"id":"{id}","name":"\"id\":\"{id}"}},{{"id":"{id}"}}]"#);
        let mut out = String::new();
        push_with_type_ids(&json, &mut out).unwrap();
        let encoded = "contact_00000000000000000000000001";
        assert_eq!(out, format!(r#"[{{"id":"{encoded}","name":"\"id\":\"{id}"}},{{"id":"{encoded}"}}]"#));
    }
}
