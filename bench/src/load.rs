//! The data: companies and persons of every organisation, over two years.
//!
//! Rows are inserted in the order of their instants, as they would come about: those of one
//! organisation lie on as many pages as there are, and a query that reads them all pays for it.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{reach, sign_up::Member, target::Tenant};

/// Where 39 of 40 contacts live, evenly.
pub(crate) const MAIN_COUNTRIES: [&str; 5] = ["DE", "AT", "CH", "IT", "FR"];

/// Where the others live, so that a list of countries is as long as that of a real organisation,
/// and a count by country and month still fits into one page of 200.
const OTHER_COUNTRIES: [&str; 15] =
    ["BE", "CZ", "DK", "ES", "FI", "GB", "HU", "IE", "LU", "NL", "NO", "PL", "PT", "SE", "SI"];

/// What both statements need.
///
/// Ids as the service mints them: UUIDv7, here of the row's own instant, so that the keys lie in
/// the index as they would after years of use.
const FUNCTIONS: &str = "CREATE FUNCTION pg_temp.id_at(at timestamptz, seed text) RETURNS uuid LANGUAGE sql
        RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(seed), 1, 3) || '8' || substr(md5(seed), 4, 15))::uuid;
    CREATE FUNCTION pg_temp.company_at(n bigint, companies integer) RETURNS timestamptz LANGUAGE sql
        RETURN now() - interval '760 days' + n * interval '30 days' / companies;
    CREATE FUNCTION pg_temp.country(n bigint, main text[], others text[]) RETURNS text LANGUAGE sql
        RETURN CASE WHEN n % 40 = 1 THEN others[1 + n / 40 % cardinality(others)]
            ELSE main[1 + n / 3 % cardinality(main)] END;";

/// One company to nine persons, older than all of them.
fn companies() -> String {
    format!(
        "INSERT INTO contacts
            (organisation_id, id, kind, name, {}, created_at, updated_at, created_by)
        SELECT u.organisation_id, pg_temp.id_at(at, u.organisation_id || 'company' || n), 'COMPANY',
            'Company ' || n, {}, at, at, u.id
        FROM users u, generate_series(1, $2::integer / 10) n,
            LATERAL (SELECT pg_temp.company_at(n, $2 / 10) AS at) t
        WHERE u.organisation_id = ANY ($1)
        ORDER BY at, u.id",
        reach::COLUMNS,
        reach::values(
            "'office@company' || n || '.example'",
            "'+49 30 ' || 100000 + n",
            "pg_temp.country(n, $3, $4)"
        )
    )
}

/// Every fifth person has no company; the others go round the companies, in strides of a prime
/// number, so that each company has seven or eight and neighbours in time have far companies.
fn persons() -> String {
    format!(
        "INSERT INTO contacts
            (organisation_id, id, kind, company_id, name, {}, created_at, updated_at, created_by)
        SELECT u.organisation_id, pg_temp.id_at(at, u.organisation_id || 'person' || n), 'PERSON',
            CASE WHEN n % 5 <> 0 THEN pg_temp.id_at(
                pg_temp.company_at(company, $2 / 10), u.organisation_id || 'company' || company
            ) END,
            'Person ' || n, {}, at, at, u.id
        FROM users u, generate_series(1, $2::integer - $2 / 10) n,
            LATERAL (SELECT now() - interval '730 days' + n * interval '730 days' / ($2 - $2 / 10) AS at) t,
            LATERAL (SELECT 1 + (n - n / 5) * 7919::bigint % ($2 / 10) AS company) c
        WHERE u.organisation_id = ANY ($1)
        ORDER BY at, u.id",
        reach::COLUMNS,
        reach::values(
            "'person' || n || '@mail.example'",
            "'+49 30 ' || 500000 + n",
            "pg_temp.country(n, $3, $4)"
        )
    )
}

const IDS: &str = "SELECT organisation_id, array_agg(id ORDER BY id) FROM contacts GROUP BY organisation_id";

/// Fills every member's organisation, as superuser, and says which contacts it has.
pub(crate) async fn load(admin_url: &str, members: Vec<Member>, contacts: u32) -> Result<Vec<Tenant>> {
    let (mut client, connection) = tokio_postgres::connect(admin_url, NoTls).await?;
    tokio::spawn(connection);
    insert(&mut client, &members, i32::try_from(contacts)?).await.context("loading contacts")?;
    // Statements of their own, because VACUUM runs in no transaction. What they leave clean, no
    // round has to clean up.
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        client.batch_execute(statement).await?;
    }
    let mut ids: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in client.query(IDS, &[]).await? {
        ids.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let mut tenants = Vec::with_capacity(members.len());
    for member in members {
        let own = ids.remove(&member.organisation).unwrap_or_default();
        ensure!(u32::try_from(own.len())? == contacts, "{} contacts instead of {contacts}", own.len());
        tenants.push(Tenant::new(&member, own)?);
    }
    Ok(tenants)
}

async fn insert(client: &mut Client, members: &[Member], contacts: i32) -> Result<()> {
    let organisations: Vec<Uuid> = members.iter().map(|member| member.organisation).collect();
    let (main, others) = (MAIN_COUNTRIES.as_slice(), OTHER_COUNTRIES.as_slice());
    // One transaction, hence one now().
    let transaction = client.transaction().await?;
    transaction.batch_execute(FUNCTIONS).await?;
    for statement in [companies(), persons()] {
        transaction.execute(&statement, &[&organisations, &contacts, &main, &others]).await?;
    }
    Ok(transaction.commit().await?)
}
