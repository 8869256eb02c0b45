//! Signing up, logging in, refreshing, logging out; who is let in and for how long; and what is asked
//! by mail.

mod access;
mod invitation;
mod log_in;
mod password_reset;
mod tokens;
mod verification;

use serde_json::{Value, json};
use tenancy::Addresses;

use crate::{
    door::eventually,
    harness::{Answer, Client, PASSWORD, server, superuser},
};

/// What every log-in answers.
const PAYLOAD: &str = "logIn { accessToken expiresAt refreshToken user { id name email roles } \
                       organisation { id slug name } } userErrors { code message field }";

async fn sign_up(client: &Client, input: Value) -> Answer {
    let query = format!("mutation ($input: SignUpInput!) {{ signUp(input: $input) {{ {PAYLOAD} }} }}");
    client.anonymous().run(&query, json!({ "input": input })).await
}

async fn log_in(client: &Client, input: Value) -> Answer {
    let query = format!("mutation ($input: LogInInput!) {{ logIn(input: $input) {{ {PAYLOAD} }} }}");
    client.anonymous().run(&query, json!({ "input": input })).await
}

async fn refresh(client: &Client, token: &Value) -> Answer {
    let query =
        format!("mutation ($input: RefreshLogInInput!) {{ refreshLogIn(input: $input) {{ {PAYLOAD} }} }}");
    client.anonymous().run(&query, json!({ "input": { "refreshToken": token } })).await
}

async fn invite(client: &Client, input: Value) -> Answer {
    let query = "mutation ($input: InviteUserInput!) { inviteUser(input: $input) { \
                 expiresAt userErrors { code message field } } }";
    client.run(query, json!({ "input": input })).await
}

async fn accept(client: &Client, token: &str, password: &str) -> Answer {
    let query = format!(
        "mutation ($input: AcceptInvitationInput!) {{ acceptInvitation(input: $input) {{ {PAYLOAD} }} }}"
    );
    client.anonymous().run(&query, json!({ "input": { "token": token, "password": password } })).await
}

async fn request_reset(client: &Client, email: &str) -> Answer {
    let query = "mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { \
                 userErrors { code message field } } }";
    client.anonymous().run(query, json!({ "input": { "email": email } })).await
}

async fn reset(client: &Client, token: &str, password: &str) -> Answer {
    let query = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { \
                 userErrors { code message field } } }";
    client.anonymous().run(query, json!({ "input": { "token": token, "password": password } })).await
}

async fn verify(client: &Client, token: &str) -> Answer {
    let query = "mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { \
                 userErrors { code message field } } }";
    client.anonymous().run(query, json!({ "input": { "token": token } })).await
}

/// What every token is answered that is not good.
const NOT_GOOD: [&str; 1] = ["INVALID token"];

/// A token with the organisation it names exchanged for this client's.
fn readdressed(token: &str, client: &Client) -> String {
    let organisation = client.organisation_id();
    tokens::encoded(&[organisation.as_bytes().as_slice(), &tokens::decoded(token)[16..]].concat())
}

/// The only cell that a query behind the service's back finds.
async fn cell<T: for<'a> tokio_postgres::types::FromSql<'a>>(sql: &str) -> T {
    superuser(server().addresses.database()).await.query_one(sql, &[]).await.unwrap().get(0)
}

/// The input of a sign-up that can only be refused for what a test changes in it.
fn newcomer(email: &str) -> Value {
    json!({
        "organisationName": "Acme & Sons", "email": email, "password": PASSWORD,
        "firstName": "Ada", "lastName": "Lovelace",
    })
}

/// The same client with the tokens of a payload.
fn with(client: &Client, payload: &Value) -> Client {
    let mut client = client.clone();
    client.access_token =
        Some(payload["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned());
    client.log_in = payload.clone();
    client
}

fn email(client: &Client) -> &str {
    client.log_in["user"]["email"].as_str().unwrap()
}

async fn me(client: &Client) -> Answer {
    client.run("{ me { name } }", json!({})).await
}

/// Asserts that a client is let in, and remembered as such.
async fn assert_let_in(client: &Client) {
    me(client).await.ok("/data/me");
}

/// Waits until a client is let in no more. The server trusts what it remembers for longer than this
/// waits, so somebody must have told it.
async fn shut_out(client: &Client) {
    eventually("the access token is refused", async || me(client).await.status == 401).await;
    assert_eq!(me(client).await.errors(), ["UNAUTHENTICATED"]);
}

/// Changes a client's own user behind the service's back, as another gateway would.
async fn change_user(addresses: &Addresses, client: &Client, change: &str) {
    let (organisation, user) = (client.organisation_id(), client.log_in["user"]["id"].as_str().unwrap());
    let sql = format!(
        "BEGIN; SET LOCAL app.organisation_id = '{organisation}';
         UPDATE users SET {change} WHERE id = '{}'; COMMIT",
        crate::harness::uuid(user)
    );
    superuser(addresses.database()).await.batch_execute(&sql).await.unwrap();
}

/// Another server on the shared database.
async fn second_server(clock: &tenancy::ManualClock) -> Client {
    Client::of(&crate::harness::start(&server().addresses, clock).await)
}
