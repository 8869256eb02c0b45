//! Clients of the server: what a front end would send, and the answer as it came.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{server, superuser};

/// The password of every account that a test makes.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody who asks the server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// Where the server is.
    pub(crate) url: String,
    /// What goes into the `Authorization` header, if anybody is logged in.
    pub(crate) access_token: Option<String>,
    /// The log-in, as `signUp` or `logIn` answered it; null for nobody.
    pub(crate) log_in: Value,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// As it came.
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// A client that nobody is logged in with.
pub(crate) fn anonymous() -> Client {
    Client::of(&server().url)
}

/// A new organisation, and its admin.
pub(crate) async fn organisation() -> Client {
    anonymous().signed_up().await
}

/// An e-mail that nobody has.
pub(crate) fn unique_email() -> String {
    format!("{}@example.org", Uuid::now_v7().simple())
}

impl Client {
    /// A client of another server than the shared one.
    pub(crate) fn of(url: &str) -> Self {
        Self { http: http(), url: url.to_owned(), access_token: None, log_in: Value::Null }
    }

    /// A new organisation on this client's server, and its admin.
    pub(crate) async fn signed_up(&self) -> Self {
        let input = json!({
            "organisationName": "Test", "email": unique_email(), "password": PASSWORD,
            "firstName": "Ada", "lastName": "Test",
        });
        let query = "mutation ($input: SignUpInput!) { signUp(input: $input) { \
                     logIn { accessToken refreshToken organisation { id slug } user { id email } } userErrors { code message field } } }";
        let answer = self.run(query, json!({ "input": input })).await;
        self.logged_in(answer.logged_in("signUp"))
    }

    /// Another user of this organisation, with these roles (`["STAFF"]`).
    pub(crate) async fn colleague(&self, roles: &[&str]) -> Self {
        let email = unique_email();
        self.hire(&email, "Colleague", roles).await;
        self.log_in_as(&email).await
    }

    /// Adds another user to this organisation, whom this client's user has added.
    pub(crate) async fn hire(&self, email: &str, name: &str, roles: &[&str]) {
        let (organisation, user, account) = (self.organisation_id(), Uuid::now_v7(), Uuid::now_v7());
        let by = uuid(self.log_in["user"]["id"].as_str().unwrap());
        // Nobody can be invited yet, so the rows are made by hand, with the admin's own password.
        let sql = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{organisation}';
             INSERT INTO accounts (id, email, password_hash)
                 SELECT '{account}', '{email}', password_hash FROM accounts
                 WHERE id = (SELECT account_id FROM users WHERE organisation_id = '{organisation}' LIMIT 1);
             INSERT INTO users (organisation_id, id, account_id, name, email, roles, created_by)
                 VALUES ('{organisation}', '{user}', '{account}', '{name}', '{email}', '{{{}}}', '{by}'); COMMIT",
            roles.join(",")
        );
        superuser(server().addresses.database()).await.batch_execute(&sql).await.unwrap();
    }

    /// Invites somebody to this organisation.
    pub(crate) async fn invite(&self, email: &str) {
        let query = "mutation ($input: InviteUserInput!) { inviteUser(input: $input) { \
                     expiresAt userErrors { code message field } } }";
        let input = json!({ "email": email, "firstName": "Ida", "lastName": "Invited" });
        self.mutate(query, input).await.ok("/data/inviteUser");
    }

    /// Logs in with the password of all tests.
    pub(crate) async fn log_in_as(&self, email: &str) -> Self {
        let query = "mutation ($email: String!, $password: String!) { \
                     logIn(input: { email: $email, password: $password }) { \
                     logIn { accessToken refreshToken organisation { id slug } user { id email } } userErrors { code message field } } }";
        let answer = self.anonymous().run(query, json!({ "email": email, "password": PASSWORD })).await;
        self.logged_in(answer.logged_in("logIn"))
    }

    fn logged_in(&self, log_in: &Value) -> Self {
        let access_token = log_in["accessToken"].as_str().unwrap_or_else(|| panic!("{log_in}")).to_owned();
        Self { access_token: Some(access_token), log_in: log_in.clone(), ..self.clone() }
    }

    /// The same server, nobody logged in.
    pub(crate) fn anonymous(&self) -> Self {
        Self { access_token: None, log_in: Value::Null, ..self.clone() }
    }

    /// The same client, asking another server on the same database.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The plain id of this client's organisation.
    pub(crate) fn organisation_id(&self) -> Uuid {
        uuid(self.log_in["organisation"]["id"].as_str().unwrap())
    }

    /// Sends a document with its variables.
    pub(crate) async fn run(&self, query: &str, variables: Value) -> Answer {
        self.send(&json!({ "query": query, "variables": variables }).to_string()).await
    }

    /// Sends any body as JSON.
    pub(crate) async fn send(&self, body: &str) -> Answer {
        self.send_as("application/graphql-response+json", body).await
    }

    /// Sends any body as JSON, and accepts an answer of this media type.
    pub(crate) async fn send_as(&self, accept: &str, body: &str) -> Answer {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("content-type", "application/json")
            .header("accept", accept)
            .body(body.to_owned());
        if let Some(token) = &self.access_token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
        Answer { status, text, body }
    }

    /// Asks for an export: the file, and what stands behind the question mark.
    pub(crate) async fn export(&self, file: &str, asked: &[(&str, &str)]) -> reqwest::Response {
        let url = Url::parse_with_params(&format!("{}/export/{file}", self.url), asked).unwrap();
        let mut request = self.http.get(url);
        if let Some(token) = &self.access_token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Adds a contact and answers it (`id name kind revision`).
    pub(crate) async fn create_contact(&self, input: Value) -> Value {
        let query = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                     contact { id name kind revision } userErrors { code message field } } }";
        self.mutate(query, input).await.ok("/data/createContact")["contact"].clone()
    }

    /// Carries out a mutation that takes its `$input`.
    pub(crate) async fn mutate(&self, mutation: &str, input: Value) -> Answer {
        self.run(mutation, json!({ "input": input_of(mutation, input) })).await
    }
}

/// The `$input` of a mutation. That of a creation is given as the new row, and perhaps a key: they are
/// put where they belong.
pub(crate) fn input_of(mutation: &str, input: Value) -> Value {
    let created = mutation.split_once("$input: Create").and_then(|(_, rest)| rest.split_once("Input!"));
    match created {
        Some(("Contacts", _)) => companies(input),
        Some((name, _)) if !name.ends_with('s') => creation(name, input),
        _ => input,
    }
}

/// A contact that is a company where nothing else is said.
fn company(contact: &mut Value) {
    if let Value::Object(contact) = contact {
        contact.entry("kind").or_insert(json!("COMPANY"));
    }
}

/// The input of the creation of several contacts.
fn companies(mut input: Value) -> Value {
    match &mut input["contacts"] {
        Value::Array(contacts) => contacts.iter_mut().for_each(company),
        one => company(one),
    }
    input
}

/// The input of the creation of such an entity.
fn creation(name: &str, mut row: Value) -> Value {
    let key = row.as_object_mut().and_then(|row| row.remove("idempotencyKey"));
    if name == "Contact" {
        company(&mut row);
    }
    let one = name[..1].to_lowercase() + &name[1..];
    match key {
        Some(key) => json!({ one: row, "idempotencyKey": key }),
        None => json!({ one: row }),
    }
}

impl Answer {
    /// What stands at a JSON pointer; fails where nothing does.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer} of {}", self.body))
    }

    /// The log-in that a mutation without errors answered.
    pub(crate) fn logged_in(&self, mutation: &str) -> &Value {
        &self.ok(&format!("/data/{mutation}"))["logIn"]
    }

    /// A payload without errors of either sort.
    pub(crate) fn ok(&self, pointer: &str) -> &Value {
        assert!(self.body.get("errors").is_none(), "{}", self.body);
        let payload = self.at(pointer);
        assert!(payload.get("userErrors").is_none_or(|errors| *errors == json!([])), "{payload}");
        payload
    }

    /// Code and field of each user error of a payload: `"INVALID name"`.
    pub(crate) fn user_errors(&self, pointer: &str) -> Vec<String> {
        let errors = self.at(pointer)["userErrors"].as_array().unwrap_or_else(|| panic!("{}", self.body));
        errors.iter().map(|error| format!("{} {}", text(&error["code"]), path(&error["field"]))).collect()
    }

    /// Code and field of each error of the answer: `"BAD_REQUEST first"`.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let line = |error: &Value| {
            format!("{} {}", text(&error["extensions"]["code"]), path(&error["extensions"]["field"]))
        };
        errors.iter().map(|error| line(error).trim().to_owned()).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn path(field: &Value) -> String {
    field.as_array().map(|steps| steps.iter().map(text).collect::<Vec<_>>().join(".")).unwrap_or_default()
}

/// The plain UUID of a TypeID.
pub(crate) fn uuid(id: &str) -> Uuid {
    listing::uuid_of(id).unwrap().1
}

/// A client of HTTP alone: it is cheap to make, because it trusts no certificate.
pub(crate) fn http() -> reqwest::Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}
