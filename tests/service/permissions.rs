//! Who may ask for what: every role and every root field, as the server answers it.

use std::iter;

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::{
    harness::{
        Answer, Client,
        askers::{Asker, askers, table},
        generate::{Filling, Request, RootField, Schema},
        organisation,
        rows::Rows,
    },
    isolation::contents,
};

/// Mutations that use up the log-in they are asked with.
const USES_UP_THE_LOG_IN: &[&str] = &["logOut", "refreshLogIn"];

/// As wide as the longest verdict.
const WIDTH: usize = "UNAUTHENTICATED".len();

/// `yes`, or the code of the refusal.
fn verdict(answer: &Answer, what: &str) -> &'static str {
    let codes = answer.errors();
    let code = codes.first().map(|line| line.split(' ').next().unwrap());
    match code {
        None => "yes",
        Some("FORBIDDEN") => "FORBIDDEN",
        Some("UNAUTHENTICATED") => "UNAUTHENTICATED",
        Some(other) => panic!("{what} answers {other}; mend what generate.rs sends: {}", answer.body),
    }
}

/// The log-in that a request may use up, and whose e-mail and tokens it sends.
async fn fresh(asker: &Asker, admin: &Client, root: &RootField) -> (Client, Value) {
    let again =
        async |client: &Client| client.log_in_as(client.log_in["user"]["email"].as_str().unwrap()).await;
    if !USES_UP_THE_LOG_IN.contains(&root.name.as_str()) {
        return (asker.client.clone(), asker.client.log_in.clone());
    }
    if asker.client.log_in.is_null() {
        return (asker.client.clone(), again(admin).await.log_in);
    }
    let client = again(&asker.client).await;
    let log_in = client.log_in.clone();
    (client, log_in)
}

/// What each asker is answered for one root field. Those who are refused ask again, to see that
/// nothing changes.
async fn verdicts(schema: &Schema, root: &RootField, admin: &Client, askers: &[Asker]) -> Vec<&'static str> {
    let (mut cells, mut refused) = (vec![], vec![]);
    let needs = schema.needs(root, None);
    let mut rows = Rows::with(admin, &needs).await;
    for asker in askers {
        let (client, log_in) = fresh(asker, admin, root).await;
        let request = schema.smallest_request(root, Filling { rows: &rows, other: None, log_in: &log_in });
        let answer = client.run(&request.query, request.variables.clone()).await;
        let cell = verdict(&answer, &format!("{} for {}", root.name, asker.name));
        cells.push(cell);
        match (root.operation, cell) {
            // A deletion leaves nothing to delete.
            ("mutation", "yes") => rows = Rows::with(admin, &needs).await,
            ("mutation", _) => refused.push((client, request)),
            _ => {}
        }
    }
    let before = contents(&[admin]).await;
    for (client, request) in refused {
        client.run(&request.query, request.variables).await;
    }
    assert_eq!(contents(&[admin]).await, before, "{} was refused, but something has changed", root.name);
    cells
}

#[tokio::test]
async fn each_role_may_ask_for_what_the_table_says() {
    let schema = Schema::served();
    let admin = organisation().await;
    let askers = askers(&admin).await;
    let mut lines = vec![];
    for root in schema.root_fields() {
        lines.push((
            format!("{} {}", root.operation, root.name),
            verdicts(schema, &root, &admin, &askers).await,
        ));
    }
    expect_file!["golden/permissions.txt"].assert_eq(&table(&askers, WIDTH, &lines));
}

/// `node(id:)` of a row, asking for one field of it; for no field only for its id.
fn node(id: &str, ty: &str, field: Option<&str>) -> Request {
    let selection = field.map_or("id".to_owned(), |field| format!("{field} {{ __typename }}"));
    let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {ty} {{ {selection} }} }} }}");
    Request { query, variables: json!({ "id": id }) }
}

#[tokio::test]
async fn nodes_and_what_they_point_at_ask_for_the_permissions_of_their_own_types() {
    let schema = Schema::served();
    let admin = organisation().await;
    let askers = askers(&admin).await;
    let rows = Rows::of(&admin).await;
    let mut lines = vec![];
    for ty in schema.node_types() {
        let fields = schema.object_fields(ty);
        for field in iter::once(None).chain(fields.iter().map(|field| Some(field.as_str()))) {
            let name = [ty, field.unwrap_or_default()].join(".").trim_end_matches('.').to_owned();
            let mut cells = vec![];
            for asker in &askers {
                let request = node(&rows.row(ty).id, ty, field);
                let answer = asker.client.run(&request.query, request.variables).await;
                let cell = verdict(&answer, &format!("{name} for {}", asker.name));
                let seen = answer.body["data"]["node"].is_object();
                // A field that is refused stands in a node that is not.
                assert!(
                    !seen || cell == "yes" || field.is_some(),
                    "{name} for {}: {}",
                    asker.name,
                    answer.body
                );
                cells.push(if cell == "yes" && !seen { "unseen" } else { cell });
            }
            lines.push((name, cells));
        }
    }
    expect_file!["golden/permissions_of_nodes.txt"].assert_eq(&table(&askers, WIDTH, &lines));
}

#[tokio::test]
async fn the_permissions_of_several_roles_add_up() {
    let admin = organisation().await;
    let contact = Rows::with(&admin, &["Contact"]).await.row("Contact").id.clone();
    let query = "query ($id: ID!) { contact(id: $id) { id } }";
    let plain = admin.colleague(&["USER", "TRAINER"]).await;
    assert_eq!(plain.run(query, json!({ "id": contact })).await.errors(), ["FORBIDDEN"]);
    let both = admin.colleague(&["USER", "STAFF"]).await;
    assert_eq!(both.run(query, json!({ "id": contact })).await.ok("/data/contact")["id"], contact.as_str());
}

#[tokio::test]
async fn a_refusal_does_not_tell_whether_the_row_exists() {
    let admin = organisation().await;
    let user = admin.colleague(&["USER"]).await;
    let there = Rows::with(&admin, &["Contact"]).await.row("Contact").id.clone();
    // The same id with another last digit is nobody's.
    let nowhere = format!("{}{}", &there[..there.len() - 1], if there.ends_with('0') { '1' } else { '0' });
    for query in [
        "query ($id: ID!) { contact(id: $id) { id } }",
        "query ($id: ID!) { node(id: $id) { id } }",
        "query ($id: ID!) { nodes(ids: [$id]) { id } }",
        "mutation ($id: ID!) { deleteContact(input: { id: $id, expectedRevision: 9 }) { userErrors { code } } }",
        "mutation ($id: ID!) { updateContact(input: { id: $id, expectedRevision: 9 }) { userErrors { code } } }",
    ] {
        let (one, other) =
            (user.run(query, json!({ "id": there })).await, user.run(query, json!({ "id": nowhere })).await);
        assert_eq!(one.errors(), ["FORBIDDEN"], "{query}");
        assert_eq!(one.body, other.body, "{query}");
    }
}
