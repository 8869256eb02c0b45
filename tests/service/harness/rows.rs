//! Rows that requests speak of, made when somebody needs them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Client,
    generate::{Filling, Schema},
    server, superuser, unique_email, uuid,
};

/// Rows beside those of the types that are a `Node`.
pub(super) const OTHERS: &[&str] = &["company"];

/// A row that requests speak of.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) revision: i64,
}

/// Rows of one organisation, by what [`Schema::row_names`] calls them.
#[derive(Debug)]
pub(crate) struct Rows {
    by_name: Vec<(String, Row)>,
    /// What the texts of these rows contain, and no others.
    pub(crate) marker: String,
}

impl Rows {
    /// New rows of every name, in the organisation of this client, who may do everything there.
    pub(crate) async fn of(client: &Client) -> Self {
        Self::with(client, &Schema::served().row_names()).await
    }

    /// New rows of these names, and of those that they cannot be without.
    pub(crate) async fn with(client: &Client, names: &[&str]) -> Self {
        let mut rows = Self { by_name: vec![], marker: format!("marked {}", Uuid::now_v7().simple()) };
        for name in names {
            rows.make(client, name).await;
        }
        rows
    }

    /// No rows at all.
    pub(crate) fn none() -> Self {
        Self { by_name: vec![], marker: "nothing".to_owned() }
    }

    /// Rows that a test has made itself.
    pub(crate) fn made(by_name: Vec<(String, Row)>, marker: &str) -> Self {
        Self { by_name, marker: marker.to_owned() }
    }

    /// The row of that name.
    pub(crate) fn row(&self, name: &str) -> &Row {
        let row = self.by_name.iter().find(|(of, _)| of == name).map(|(_, row)| row);
        row.unwrap_or_else(|| panic!("there is no row {name:?}: give its name to Rows::with"))
    }

    /// The revision of the row has gone up by one.
    pub(crate) fn touched(&mut self, name: &str) {
        self.by_name.iter_mut().filter(|(of, _)| of == name).for_each(|(_, row)| row.revision += 1);
    }

    /// Whether a text tells anything of these rows.
    pub(crate) fn appear_in(&self, text: &str) -> bool {
        text.contains(&self.marker) || self.by_name.iter().any(|(_, row)| text.contains(&row.id))
    }

    /// Makes the row of that name, unless it is there. What is not said here is made by the mutation
    /// of its name, with what the schema demands.
    async fn make(&mut self, client: &Client, name: &str) {
        if self.by_name.iter().any(|(made, _)| made == name) {
            return;
        }
        let made = match name {
            "Organisation" => client.log_in["organisation"].clone(),
            "User" => {
                // Somebody whom the user has added, so that filters by that find somebody.
                client.hire(&unique_email(), &self.marker, &["USER"]).await;
                client.log_in["user"].clone()
            }
            "company" => client.create_contact(json!({ "kind": "COMPANY", "name": self.marker })).await,
            // Nobody makes these but the service itself.
            "WebhookDelivery" => {
                Box::pin(self.make(client, "WebhookEndpoint")).await;
                let columns = "webhook_deliveries (organisation_id, id, endpoint_id, event_id, event_kind, state, error)";
                let endpoint = uuid(&self.row("WebhookEndpoint").id);
                let values = format!(
                    "'{endpoint}', gen_random_uuid(), 'contact.created', 'FAILED', '{}'",
                    self.marker
                );
                inserted(client, "webhook_delivery", columns, &values).await
            }
            "DeadLetter" => {
                let columns = "dead_letters (organisation_id, id, kind, payload, place, attempts, summary, last_error, enqueued_at)";
                let values = format!("'mail', '{{}}', 0, 12, '{0}', '{0}', now()", self.marker);
                inserted(client, "dead_letter", columns, &values).await
            }
            "Contact" => {
                Box::pin(self.make(client, "company")).await;
                let person = json!({
                    "kind": "PERSON", "name": self.marker, "companyId": self.row("company").id,
                    "idempotencyKey": self.marker,
                });
                client.create_contact(person).await
            }
            name => self.created(client, name).await,
        };
        let row = Row {
            id: made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned(),
            revision: made["revision"].as_i64().unwrap_or(1),
        };
        self.by_name.push((name.to_owned(), row));
    }

    async fn created(&mut self, client: &Client, name: &str) -> Value {
        let schema = Schema::served();
        let root = schema.creation(name);
        for needed in schema.needs(&root, None) {
            Box::pin(self.make(client, needed)).await;
        }
        let field = name[..1].to_lowercase() + &name[1..];
        let selection = format!("{{ {field} {{ id revision }} userErrors {{ code message field }} }}");
        let filling = Filling { rows: self, other: None, log_in: &client.log_in };
        let request = schema.request_for(&root, &selection, filling);
        let answer = client.run(&request.query, request.variables).await;
        answer.ok(&format!("/data/{}", root.name))[&field].clone()
    }
}

/// A row of this organisation that no mutation makes.
async fn inserted(client: &Client, prefix: &str, columns: &str, values: &str) -> Value {
    let (organisation, id) = (client.organisation_id(), Uuid::now_v7());
    // With a job as it would have been made by.
    let sql = format!(
        "INSERT INTO {columns} VALUES ('{organisation}', '{id}', {values});
         INSERT INTO jobs (organisation_id, id, kind, payload, summary, run_at)
             VALUES ('{organisation}', gen_random_uuid(), 'nothing', '{{}}', 'nothing', 'infinity')"
    );
    superuser(server().addresses.database()).await.batch_execute(&sql).await.unwrap();
    json!({ "id": listing::id_text(prefix, id), "revision": 1 })
}
