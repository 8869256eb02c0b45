use diesel::{OptionalExtension, QueryableByName, sql_query, sql_types::Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use thiserror::Error;
use url::Url;

use crate::Addresses;

/// The key of the advisory lock: roles are shared by all databases of a cluster, so provisioning runs
/// one at a time.
const LOCK: i64 = 0x0074_6573_7365_7262;

/// Why the roles and the database could not be created.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// The administrator cannot log in.
    #[error("the administrator's address does not answer: {0}")]
    Unreachable(#[from] diesel::ConnectionError),
    /// The administrator lacks a privilege.
    #[error(
        "PostgreSQL refused: {0}. Run what `gateway provision --print` shows as a role that may \
         create roles and databases"
    )]
    Refused(#[from] diesel::result::Error),
    /// A name or password is not valid percent-encoding.
    #[error("{0} is not valid percent-encoding")]
    Encoding(String),
    /// A URL names a superuser, which the service must not be.
    #[error("the role {0} is a superuser; name a role of the service's own, which is then made")]
    Superuser(String),
}

/// The SQL that creates the roles (first) and the database (second), for running it by hand.
///
/// # Errors
/// A name or password is not UTF-8.
pub fn provision_sql(addresses: &Addresses) -> Result<[String; 2], ProvisionError> {
    let login =
        |url: &Url| Ok::<_, ProvisionError>((decode(url.username())?, decode(url.password().unwrap_or(""))?));
    let mut roles = String::new();
    for group in ["tessera_app", "tessera_system"] {
        roles.push_str(&create_role(group, "NOLOGIN"));
    }
    for (url, group) in [
        (&addresses.app, Some("tessera_app")),
        (&addresses.system, Some("tessera_system")),
        (&addresses.owner, None),
    ] {
        let (name, password) = login(url)?;
        let plain = "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB";
        roles.push_str(&create_role(&name, "LOGIN"));
        roles.push_str(&format!(
            "ALTER ROLE {} {plain} PASSWORD {};\n",
            identifier(&name),
            literal(&password)
        ));
        if let Some(group) = group {
            roles.push_str(&format!("GRANT {group} TO {};\n", identifier(&name)));
        }
    }
    let (owner, _) = login(&addresses.owner)?;
    let database = decode(addresses.database())?;
    let create = format!(
        "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0",
        identifier(&database),
        identifier(&owner)
    );
    Ok([roles, create])
}

/// Creates the roles and the database as an administrator, unless they exist.
///
/// # Errors
/// The administrator cannot log in or lacks a privilege.
pub async fn provision(admin: &Url, addresses: &Addresses) -> Result<(), ProvisionError> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        #[expect(dead_code, reason = "only its presence counts")]
        name: String,
    }
    let [roles, database] = provision_sql(addresses)?;
    let mut connection = AsyncPgConnection::establish(admin.as_str()).await?;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
    for url in [&addresses.app, &addresses.system, &addresses.owner] {
        let name = decode(url.username())?;
        let superuser = "SELECT rolname::text AS name FROM pg_roles WHERE rolsuper AND rolname = $1";
        let found = sql_query(superuser).bind::<Text, _>(&name).get_result::<Name>(&mut connection);
        if found.await.optional()?.is_some() {
            return Err(ProvisionError::Superuser(name));
        }
    }
    connection.batch_execute(&roles).await?;
    let existing = sql_query("SELECT datname::text AS name FROM pg_database WHERE datname = $1")
        .bind::<Text, _>(decode(addresses.database())?)
        .get_result::<Name>(&mut connection)
        .await
        .optional()?;
    if existing.is_none() {
        connection.batch_execute(&database).await?;
    }
    Ok(())
}

// CREATE ROLE has no IF NOT EXISTS.
fn create_role(name: &str, attribute: &str) -> String {
    format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) THEN CREATE ROLE {} {attribute}; END IF; END $$;\n",
        literal(name),
        identifier(name)
    )
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn decode(part: &str) -> Result<String, ProvisionError> {
    percent_encoding::percent_decode_str(part)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ProvisionError::Encoding(part.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_quoted() {
        let addresses = Addresses::parse("postgres://ga%22te:pass%27word@host/te%22ss", None, None).unwrap();
        let [roles, database] = provision_sql(&addresses).unwrap();
        assert!(roles.contains(r#"ALTER ROLE "ga""te" "#), "{roles}");
        assert!(roles.contains("PASSWORD 'pass''word'"), "{roles}");
        assert!(database.contains(r#"CREATE DATABASE "te""ss" OWNER "ga""te_owner""#), "{database}");
    }
}
