//! The data: companies and persons of every organisation.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{sign_up::Member, target::Tenant};

/// Ids as the service mints them: UUIDv7, here of the row's own instant, so that the keys lie in
/// the index as they would after months of use.
const ID_FUNCTION: &str = "CREATE FUNCTION pg_temp.id_at(at timestamptz, seed text) RETURNS uuid LANGUAGE sql
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(seed), 1, 3) || '8' || substr(md5(seed), 4, 15))::uuid;";

/// One company to four persons, older than all of them.
const COMPANIES: &str = "INSERT INTO contacts
        (organisation_id, id, kind, name, email, phone, country, created_at, updated_at, created_by)
    SELECT u.organisation_id, pg_temp.id_at(at, u.organisation_id || 'company' || n), 'COMPANY',
        'Company ' || n, 'office@company' || n || '.example', '+49 30 ' || 100000 + n, 'DE', at, at, u.id
    FROM users u, generate_series(1, $2::integer / 5) n,
        LATERAL (SELECT now() - interval '60 days' + n * interval '1 minute' AS at) t
    WHERE u.organisation_id = ANY ($1)";

/// Every fifth person has no company; the others go round the companies.
const PERSONS: &str = "INSERT INTO contacts
        (organisation_id, id, kind, company_id, name, email, phone, country, created_at, updated_at, created_by)
    SELECT u.organisation_id, pg_temp.id_at(at, u.organisation_id || 'person' || n), 'PERSON',
        CASE WHEN n % 5 <> 0 THEN pg_temp.id_at(
            now() - interval '60 days' + company * interval '1 minute', u.organisation_id || 'company' || company
        ) END,
        'Person ' || n, 'person' || n || '@mail.example', '+49 30 ' || 500000 + n, 'DE', at, at, u.id
    FROM users u, generate_series(1, $2::integer - $2::integer / 5) n,
        LATERAL (SELECT now() - interval '30 days' + n * interval '1 minute' AS at) t,
        LATERAL (SELECT 1 + n * 7 % ($2::integer / 5) AS company) c
    WHERE u.organisation_id = ANY ($1)";

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
    // One transaction, hence one now().
    let transaction = client.transaction().await?;
    transaction.batch_execute(ID_FUNCTION).await?;
    for statement in [COMPANIES, PERSONS] {
        transaction.execute(statement, &[&organisations, &contacts]).await?;
    }
    Ok(transaction.commit().await?)
}
