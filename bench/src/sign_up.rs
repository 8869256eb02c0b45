//! Organisations come into being as they do for customers: by the service's own sign-up.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::{Connection, Post},
    type_id::{self, Organisation, User},
};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) { \
    logIn { accessToken organisation { id } user { id } } userErrors { code message field } } }";

/// The first user of an organisation, its administrator.
pub(crate) struct Member {
    /// The organisation.
    pub(crate) organisation: Uuid,
    /// The user.
    pub(crate) user: Uuid,
    /// What authenticates the user for 15 minutes.
    pub(crate) token: String,
}

/// Signs up as many organisations as asked for.
pub(crate) async fn sign_up(service: SocketAddr, organisations: usize) -> Result<Vec<Member>> {
    let mut connection = Connection::open(service).await?;
    let mut members = Vec::with_capacity(organisations);
    for number in 1..=organisations {
        let variables = json!({ "input": {
            "organisationName": format!("Bench {number}"),
            "email": format!("admin{number}@bench.example"),
            "password": format!("a long password for number {number}"),
            "firstName": "Ada",
            "lastName": format!("Number {number}"),
        }});
        let body = json!({ "query": SIGN_UP, "variables": variables }).to_string();
        let post = Post { path: "/graphql", headers: HeaderMap::new(), body };
        let answer = connection.post(post).await.with_context(|| format!("sign-up {number}"))?;
        members.push(read(&answer).with_context(|| format!("sign-up {number}"))?);
    }
    Ok(members)
}

fn read(answer: &[u8]) -> Result<Member> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        access_token: Option<String>,
        organisation: Option<Entity>,
        user: Option<Entity>,
    }
    #[derive(Deserialize)]
    struct Entity {
        id: String,
    }
    let mut answer: Value = serde_json::from_slice(answer)?;
    let errors = answer.get("errors").or_else(|| answer.pointer("/data/signUp/userErrors"));
    let none = errors.and_then(Value::as_array).is_some_and(Vec::is_empty);
    ensure!(none, "{answer}");
    let payload = answer.pointer_mut("/data/signUp/logIn").map(Value::take).context("no log-in")?;
    let payload: Payload = serde_json::from_value(payload)?;
    Ok(Member {
        organisation: type_id::decode::<Organisation>(&payload.organisation.context("no organisation")?.id)?,
        user: type_id::decode::<User>(&payload.user.context("no user")?.id)?,
        token: payload.access_token.context("no access token")?,
    })
}
