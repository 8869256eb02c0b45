//! The checks of the database at start-up.

use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use thiserror::Error;
use url::Url;

use crate::{Addresses, OpenError, migration::known_versions};

/// A defect of the database or a role that breaks tenant isolation.
#[derive(Debug, Error)]
pub enum UnsafeDatabase {
    /// The role can circumvent row security.
    #[error(
        "the role {role} {reason}, so row security would not hold for it; log in as a role that \
         `gateway provision` made"
    )]
    Role {
        /// The role's name.
        role: String,
        /// The privilege that it has.
        reason: String,
    },
    /// A table is not protected by row security.
    #[error("the table {table} {reason}; its migration must protect it")]
    Table {
        /// The table's name.
        table: String,
        /// The missing protection.
        reason: String,
    },
    /// A migration has not been run.
    #[error("the database lacks the migration {version}; run `gateway migrate` first")]
    NotMigrated {
        /// The first missing migration.
        version: String,
    },
}

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

// `pg_has_role(.., 'MEMBER')` includes roles that are available through SET ROLE.
const ROLE_FINDINGS: &str = "
    SELECT current_user::text AS subject, finding.reason
    FROM (
        SELECT 'is a superuser, or may become one' AS reason
        FROM pg_roles WHERE rolsuper AND pg_has_role(current_user, oid, 'MEMBER')
        UNION ALL
        SELECT 'can bypass row security'
        FROM pg_roles WHERE rolbypassrls AND pg_has_role(current_user, oid, 'MEMBER')
        UNION ALL
        SELECT 'may create roles, and so become any'
        FROM pg_roles WHERE rolcreaterole AND pg_has_role(current_user, oid, 'MEMBER')
        UNION ALL
        SELECT 'owns the table ' || relname
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
          AND pg_has_role(current_user, relowner, 'MEMBER')
        UNION ALL
        SELECT 'is not a member of ' || $1 WHERE NOT pg_has_role(current_user, $1, 'MEMBER')
        UNION ALL
        SELECT 'is a member of ' || $2 WHERE pg_has_role(current_user, $2, 'MEMBER')
    ) AS finding
    LIMIT 1";

// All tables except diesel's table of migrations, and all views with the rights of their owner. A tenant
// table is `organisations`, or a table with organisation_id. A partition has no policy: its rows are
// reached through its table, whose policy decides, and in no other way. Policies for groups that the
// role cannot become do not concern it.
const TABLE_FINDINGS: &str = "
    SELECT relname::text AS subject, finding.reason
    FROM pg_class
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'organisation_id' AND NOT attisdropped
        ) AS tenant
    ) AS kind
    CROSS JOIN LATERAL (
        SELECT 'has no row security' AS reason WHERE NOT relrowsecurity
        UNION ALL
        SELECT 'may be truncated by ' || current_user || ', which row security does not stop'
        WHERE has_table_privilege(current_user, pg_class.oid, 'TRUNCATE')
        UNION ALL
        SELECT 'lacks the policy own_organisation for tessera_app'
        WHERE (kind.tenant OR relname = 'organisations') AND NOT relispartition AND NOT EXISTS (
            SELECT FROM pg_policies
            WHERE schemaname = 'public' AND tablename = relname AND policyname = 'own_organisation'
              AND permissive = 'PERMISSIVE' AND cmd = 'ALL' AND roles = '{tessera_app}'
              AND qual LIKE CASE relname WHEN 'organisations' THEN '(id' ELSE '(organisation_id' END
                  || ' = ( SELECT (current_setting(''app.organisation_id''::text))::uuid AS current_setting))'
              AND with_check = qual
        )
        UNION ALL
        SELECT 'has the policy ' || policyname || ' for ' || roles::text || ' beside its own'
        FROM pg_policies
        WHERE schemaname = 'public' AND tablename = relname
          AND (policyname <> 'own_organisation' OR relispartition) AND roles <> '{tessera_system}'
          AND EXISTS (
              SELECT FROM unnest(roles) AS role_name
              WHERE CASE WHEN role_name IN ('public', 'tessera_app') THEN true
                    ELSE pg_has_role(current_user, role_name, 'MEMBER') END
          )
        UNION ALL
        SELECT 'is a partition that ' || current_user || ' reaches without its table'
        WHERE relispartition AND (
            has_table_privilege(current_user, pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER')
            OR has_any_column_privilege(current_user, pg_class.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
        )
    ) AS finding
    WHERE relnamespace = 'public'::regnamespace AND (relkind IN ('r', 'p', 'm', 'f')
           OR relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false))
      AND relname <> '__diesel_schema_migrations'
    ORDER BY relname LIMIT 1";

const IS_MIGRATED: &str = "
    SELECT '' AS subject, '' AS reason WHERE to_regclass('public.__diesel_schema_migrations') IS NOT NULL";

const MIGRATIONS_RUN: &str =
    "SELECT version::text AS subject, '' AS reason FROM public.__diesel_schema_migrations";

const MESSAGE_LOCALE: &str = "SELECT current_setting('lc_messages') AS subject, '' AS reason";

/// Checks both roles, every table, and the language of messages.
pub(crate) async fn check(addresses: &Addresses) -> Result<(), OpenError> {
    for (url, own, other) in [
        (&addresses.app, "tessera_app", "tessera_system"),
        (&addresses.system, "tessera_system", "tessera_app"),
    ] {
        let mut connection = connect(url).await?;
        let role = sql_query(ROLE_FINDINGS).bind::<Text, _>(own).bind::<Text, _>(other);
        if let Some(Finding { subject, reason }) = findings(role, &mut connection).await?.pop() {
            return Err(UnsafeDatabase::Role { role: subject, reason }.into());
        }
        if let Some(version) = missing_migration(&mut connection).await? {
            return Err(UnsafeDatabase::NotMigrated { version }.into());
        }
        if let Some(Finding { subject, reason }) =
            findings(sql_query(TABLE_FINDINGS), &mut connection).await?.pop()
        {
            return Err(UnsafeDatabase::Table { table: subject, reason }.into());
        }
        let locale = findings(sql_query(MESSAGE_LOCALE), &mut connection).await?.pop();
        if let Some(Finding { subject, .. }) = locale
            && !is_english(&subject)
        {
            return Err(OpenError::NotEnglish(subject));
        }
    }
    Ok(())
}

/// Whether PostgreSQL's messages are in English. An empty locale is the default of managed services.
fn is_english(locale: &str) -> bool {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
    ["", "c", "posix", "en", "english"].contains(&language.to_ascii_lowercase().as_str())
}

async fn connect(url: &Url) -> Result<AsyncPgConnection, OpenError> {
    AsyncPgConnection::establish(url.as_str()).await.map_err(|error| {
        let host = url.host_str().unwrap_or_default();
        OpenError::Unreachable(format!("as {} at {host}: {error}", url.username()))
    })
}

/// The first migration of this program that the database lacks.
async fn missing_migration(connection: &mut AsyncPgConnection) -> Result<Option<String>, OpenError> {
    let run = match findings(sql_query(IS_MIGRATED), connection).await?.is_empty() {
        true => vec![],
        false => findings(sql_query(MIGRATIONS_RUN), connection).await?,
    };
    let mut known = known_versions().into_iter();
    Ok(known.find(|version| !run.iter().any(|finding| finding.subject == *version)))
}

async fn findings<'q, Q>(query: Q, connection: &mut AsyncPgConnection) -> Result<Vec<Finding>, OpenError>
where
    Q: RunQueryDsl<AsyncPgConnection> + diesel_async::methods::LoadQuery<'q, AsyncPgConnection, Finding> + 'q,
{
    query.load(connection).await.map_err(|error| OpenError::Unreachable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn only_english_messages_are_accepted() {
        for locale in
            ["", "C", "C.UTF-8", "POSIX", "en_US.UTF-8", "en_GB", "en", "English_United States.1252"]
        {
            assert!(is_english(locale), "{locale}");
        }
        for locale in ["de_DE.UTF-8", "ca_ES", "fr", "enm_GB", "German_Germany.1252"] {
            assert!(!is_english(locale), "{locale}");
        }
    }
}
