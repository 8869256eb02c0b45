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
    rows, sql,
};

/// Instants in UTC, as the service writes them; both others were faster than the defaults.
const SETTINGS: &str =
    "SET timezone = 'UTC'; SET plan_cache_mode = force_generic_plan; SET enable_memoize = off";

const COMMIT: &str = "COMMIT";

/// A connection that serves one request at a time.
pub(crate) struct Lane {
    client: Client,
    list: ListForm,
    by_id: Statement,
    newest: Statement,
    filtered: Statement,
    grouped: Statement,
    nested: Statement,
    mine: Statement,
    create: Statement,
    publish: Statement,
}

impl Lane {
    /// Connects and prepares.
    pub(crate) async fn open(database: &str, list: ListForm) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(SETTINGS).await?;
        let newest = match list {
            ListForm::Json => sql::NEWEST,
            ListForm::Rows => rows::NEWEST,
        };
        Ok(Self {
            by_id: client.prepare_typed(sql::BY_ID, &[Type::UUID]).await?,
            newest: client.prepare(newest).await?,
            filtered: client.prepare(sql::FILTERED).await?,
            grouped: client.prepare(sql::GROUPED).await?,
            nested: client.prepare(sql::NESTED).await?,
            mine: client.prepare_typed(sql::MINE, &[Type::UUID]).await?,
            create: client.prepare(&sql::create()).await?,
            publish: client.prepare(sql::PUBLISH).await?,
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

    /// The first contacts of a kind and a country, and how many there are.
    pub(super) async fn filtered(&self, organisation: Uuid, country: &str, kind: &str) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.filtered, &[&country, &kind]).await?;
        wrap([r#"{"data":{"contacts":"#, "null", "}}"], &rows)
    }

    /// How many contacts were added in each month, country by country.
    pub(super) async fn grouped(&self, organisation: Uuid) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.grouped, &[]).await?;
        wrap([r#"{"data":{"contactsAggregate":"#, "[]", "}}"], &rows)
    }

    /// Companies with their people.
    pub(super) async fn nested(&self, organisation: Uuid) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.nested, &[]).await?;
        wrap([r#"{"data":{"contacts":{"nodes":"#, "[]", "}}}"], &rows)
    }

    /// The newest contacts that this user has added, and how many there are.
    pub(crate) async fn mine(&self, organisation: Uuid, user: Uuid) -> Result<String> {
        let rows = self.transaction(&read(organisation), &self.mine, &[&user]).await?;
        wrap([r#"{"data":{"contacts":"#, "null", "}}"], &rows)
    }

    /// A new contact, and the event that says so.
    pub(crate) async fn create(
        &self,
        organisation: Uuid,
        user: Uuid,
        contact: &NewContact,
        publish: bool,
    ) -> Result<String> {
        let begin = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{organisation}'; SET LOCAL app.user_id = '{user}'"
        );
        let NewContact { kind, name, reach } = contact;
        let (id, event_id) = (Uuid::now_v7(), Uuid::now_v7());
        let [email, phone, country] = reach.parameters();
        let values: [&(dyn ToSql + Sync); 6] = [&id, kind, name, email, phone, country];
        let rows = if publish {
            self.transaction_with_event(&begin, &values, &[&event_id, &id]).await?
        } else {
            self.transaction(&begin, &self.create, &values).await?
        };
        wrap([r#"{"data":{"createContact":{"contact":"#, "null", r#","userErrors":[]}}}"#], &rows)
    }

    /// As [`Lane::transaction`], with the event in the same flush.
    async fn transaction_with_event(
        &self,
        begin: &str,
        contact: &[&(dyn ToSql + Sync)],
        event: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let (begun, rows, published, committed) = join!(
            self.client.batch_execute(begin),
            self.client.query(&self.create, contact),
            self.client.execute(&self.publish, event),
            self.client.batch_execute(COMMIT),
        );
        let rows = rows.context("the statement")?;
        begun.context("BEGIN")?;
        published.context("the event")?;
        committed.context(COMMIT)?;
        Ok(rows)
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
