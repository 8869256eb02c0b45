//! One connection with its prepared statements, and a transaction in one flush.

use anyhow::{Context, Result};
use futures_util::join;
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::{
    ListForm, NewContact,
    raw_json::{RawJson, push_with_type_ids},
    rows,
};

const BY_ID: &str = "SELECT row_to_json(c) FROM (
    SELECT id, name, email, phone, country FROM contacts WHERE id = $1 AND deleted_at IS NULL) c";

/// The cheapest of seven ways to build it in SQL: one `json_agg` turns rows within rows into JSON
/// at once, and a sub-select is cheaper here than the join with its memo.
const NEWEST: &str = r#"SELECT json_agg(n) FROM (
    SELECT c.id, c.name, c.email, c.created_at AS "createdAt", (
        SELECT x FROM (
            SELECT k.id, k.name, k.email FROM contacts k
            WHERE k.organisation_id = c.organisation_id AND k.id = c.company_id AND k.deleted_at IS NULL
        ) x
    ) AS company
    FROM contacts c WHERE c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT 20) n"#;

const CREATE: &str = "INSERT INTO contacts (id, kind, name, email, phone, country)
    VALUES ($1, $2, $3, $4, $5, $6)
    RETURNING (SELECT row_to_json(r) FROM (SELECT contacts.id, contacts.name, contacts.email, contacts.revision) r)";

/// Instants in UTC, as the service writes them; both others were faster than the defaults.
const SETTINGS: &str =
    "SET timezone = 'UTC'; SET plan_cache_mode = force_generic_plan; SET enable_memoize = off";

const COMMIT: &str = "COMMIT";

/// A connection that serves one request at a time.
pub(super) struct Lane {
    client: Client,
    list: ListForm,
    by_id: Statement,
    newest: Statement,
    create: Statement,
}

impl Lane {
    /// Connects and prepares.
    pub(super) async fn open(database: &str, list: ListForm) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(SETTINGS).await?;
        let newest = match list {
            ListForm::Json => NEWEST,
            ListForm::Rows => rows::NEWEST,
        };
        Ok(Self {
            by_id: client.prepare_typed(BY_ID, &[Type::UUID]).await?,
            newest: client.prepare(newest).await?,
            create: client.prepare(CREATE).await?,
            client,
            list,
        })
    }

    /// One contact.
    pub(super) async fn by_id(&self, organisation: Uuid, id: Uuid) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.by_id, &[&id]).await?;
        wrap([r#"{"data":{"contact":"#, "null", "}}"], &rows)
    }

    /// The newest contacts, each with its company.
    pub(super) async fn newest(&self, organisation: Uuid) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.newest, &[]).await?;
        match self.list {
            ListForm::Json => wrap([r#"{"data":{"contacts":{"nodes":"#, "[]", "}}}"], &rows),
            ListForm::Rows => rows::answer(&rows),
        }
    }

    /// A new contact.
    pub(super) async fn create(
        &self,
        organisation: Uuid,
        user: Uuid,
        contact: &NewContact,
    ) -> Result<String> {
        let begin = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{organisation}'; SET LOCAL app.user_id = '{user}'"
        );
        let NewContact { kind, name, email, phone, country } = contact;
        let values: [&(dyn ToSql + Sync); 6] = [&Uuid::now_v7(), kind, name, email, phone, country];
        let rows = self.transaction(&begin, &self.create, &values).await?;
        wrap([r#"{"data":{"createContact":{"contact":"#, "null", r#","userErrors":[]}}}"#], &rows)
    }

    /// All three messages are queued by the first poll, in this order, and leave together. If the
    /// statement fails, `COMMIT` rolls back.
    async fn transaction(
        &self,
        begin: &str,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let (begun, rows, committed) = join!(
            self.client.batch_execute(begin),
            self.client.query(statement, values),
            self.client.batch_execute(COMMIT),
        );
        let rows = rows.context("the statement")?;
        begun.context("BEGIN")?;
        committed.context(COMMIT)?;
        Ok(rows)
    }
}

fn read(organisation: Uuid) -> String {
    format!("BEGIN READ ONLY; SET LOCAL app.organisation_id = '{organisation}'")
}

/// Puts JSON built by SQL, or what stands for none, into its answer.
fn wrap([before, none, after]: [&str; 3], rows: &[Row]) -> Result<String> {
    let json = rows.first().map(|row| row.try_get::<_, Option<RawJson>>(0)).transpose()?.flatten();
    let json = json.map_or(none, |RawJson(json)| json);
    // A TypeID is shorter than its UUID, so this is room enough.
    let mut answer = String::with_capacity(before.len() + json.len() + after.len());
    answer.push_str(before);
    push_with_type_ids(json, &mut answer)?;
    answer.push_str(after);
    Ok(answer)
}
