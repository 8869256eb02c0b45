//! Several rows changed at once, writes that meet, and acts.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    door::eventually,
    harness::{Answer, Client, organisation, server, superuser, uuid},
};

/// Changes, deletes or restores several contacts.
async fn several(client: &Client, verb: &str, input: Value) -> Answer {
    let (name, past) = match verb {
        "update" => ("Update", "updated"),
        "delete" => ("Delete", "deleted"),
        _ => ("Restore", "restored"),
    };
    let query = format!(
        "mutation ($input: {name}ContactsInput!) {{ done: {verb}Contacts(input: $input) {{ \
         count: {past}Count validCount contacts {{ id name revision }} \
         rowErrors {{ index code field }} userErrors {{ code message field }} }} }}"
    );
    client.mutate(&query, input).await
}

async fn contacts<const COUNT: usize>(client: &Client) -> [Value; COUNT] {
    let names: Vec<Value> = (0..COUNT).map(|number| json!({ "name": format!("Contact {number}") })).collect();
    let query = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { \
                 contacts { id revision } userErrors { code message field } } }";
    let answer = client.mutate(query, json!({ "contacts": names })).await;
    let made = answer.ok("/data/createContacts")["contacts"].as_array().unwrap().clone();
    made.try_into().unwrap()
}

fn revision_of(contact: &Value) -> Value {
    json!({ "id": contact["id"], "expectedRevision": contact["revision"] })
}

async fn names(client: &Client) -> Vec<String> {
    let query = "{ contacts(orderBy: [{ name: ASC }]) { nodes { name } } }";
    let answer = client.run(query, json!({})).await;
    let nodes = answer.ok("/data/contacts")["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn several_rows_change_together_or_not_at_all() {
    let client = organisation().await;
    let [one, two, three] = contacts::<3>(&client).await;
    let rename = |contact: &Value, name: &str| {
        let mut row = revision_of(contact);
        row["name"] = json!(name);
        row
    };
    let stale = json!({ "id": three["id"], "expectedRevision": 7, "name": "Stale" });
    let unknown = json!({ "id": "contact_01h455vb4pex5vsknk084sn02q", "expectedRevision": 1 });
    let wrong = json!([rename(&one, "A"), rename(&two, " "), stale, unknown]);
    let answer = several(&client, "update", json!({ "contacts": wrong })).await;
    let done = answer.ok("/data/done");
    assert_eq!((&done["count"], &done["validCount"], &done["contacts"]), (&json!(0), &json!(1), &json!([])));
    let errors = json!([
        { "index": 1, "code": "INVALID", "field": ["name"] },
        { "index": 2, "code": "CONFLICT", "field": ["expectedRevision"] },
        { "index": 3, "code": "NOT_FOUND", "field": ["id"] },
    ]);
    assert_eq!(done["rowErrors"], errors);
    assert_eq!(names(&client).await, ["Contact 0", "Contact 1", "Contact 2"]);

    let answer = several(&client, "update", json!({ "contacts": wrong, "skipInvalid": true })).await;
    assert_eq!(answer.ok("/data/done")["contacts"], json!([{ "id": one["id"], "name": "A", "revision": 2 }]));
    assert_eq!(answer.at("/data/done/rowErrors"), &errors);
    // A row twice: the second time it has another revision.
    let twice = json!([revision_of(&two), revision_of(&two)]);
    let answer = several(&client, "delete", json!({ "contacts": twice })).await;
    assert_eq!(answer.at("/data/done/rowErrors/0/index"), 1);
    assert_eq!(names(&client).await.len(), 3);
}

#[tokio::test]
async fn several_rows_are_deleted_and_restored() {
    let client = organisation().await;
    let [one, two, _] = contacts::<3>(&client).await;
    let both = json!([revision_of(&one), revision_of(&two)]);
    let dry = several(&client, "delete", json!({ "contacts": both, "dryRun": true })).await;
    assert_eq!((dry.at("/data/done/count"), dry.at("/data/done/validCount")), (&json!(0), &json!(2)));
    let deleted = several(&client, "delete", json!({ "contacts": both, "idempotencyKey": "d" })).await;
    assert_eq!(deleted.ok("/data/done")["count"], 2);
    assert_eq!(names(&client).await, ["Contact 2"]);
    // A repetition answers what the first one did.
    let again = several(&client, "delete", json!({ "contacts": both, "idempotencyKey": "d" })).await;
    assert_eq!(again.body, deleted.body);
    let rows: Vec<Value> =
        deleted.at("/data/done/contacts").as_array().unwrap().iter().map(revision_of).collect();
    let restored = several(&client, "restore", json!({ "contacts": rows })).await;
    assert_eq!(restored.ok("/data/done")["count"], 2);
    assert_eq!(names(&client).await.len(), 3);
    let answer = several(&client, "restore", json!({ "contacts": [revision_of(&one)] })).await;
    assert_eq!(answer.at("/data/done/rowErrors/0/code"), "INVALID_TRANSITION");
}

/// Waits until a statement on contacts that starts so waits for this writer.
async fn blocked_by(writer: &tokio_postgres::Client, statement: &str) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND query LIKE $2 AND pg_blocking_pids(pid) @> ARRAY[$1::integer]";
    let watcher = superuser(server().addresses.database()).await;
    let pid: i32 = writer.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let pattern = format!("{statement}%\"contacts\"%");
    eventually("a statement waits", async || {
        watcher.query_one(waiting, &[&pid, &pattern]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
}

/// Another writer takes a key while an import runs, so that the database refuses its rows: they are then
/// written one by one, and a company before who belongs to it.
#[tokio::test]
async fn a_row_that_is_refused_leaves_those_in_order_that_refer_to_later_ones() {
    let client = organisation().await;
    let other = superuser(server().addresses.database()).await;
    let take = format!(
        "BEGIN; INSERT INTO contacts (organisation_id, id, kind, name, external_id) \
         VALUES ('{}', gen_random_uuid(), 'COMPANY', 'Taken', 'c')",
        client.organisation_id()
    );
    other.batch_execute(&take).await.unwrap();
    let import = tokio::spawn({
        let client = client.clone();
        let csv = "name,company,externalId\nBen,Acme,\nAcme,,\nCem,,c\n";
        let query = "mutation ($csv: String!) { importContacts(input: { csv: $csv, skipInvalid: true }) { \
                     contacts { name company { name } } rowErrors { line code column } } }";
        async move { client.run(query, json!({ "csv": csv })).await }
    });
    blocked_by(&other, "INSERT").await;
    other.batch_execute("COMMIT").await.unwrap();
    let answer = import.await.unwrap();
    let contacts =
        json!([{ "name": "Ben", "company": { "name": "Acme" } }, { "name": "Acme", "company": null }]);
    let errors = json!([{ "line": 4, "code": "ALREADY_EXISTS", "column": "externalId" }]);
    let imported = &answer.at("/data/importContacts");
    assert_eq!((&imported["contacts"], &imported["rowErrors"]), (&contacts, &errors), "{}", answer.body);
}

/// Another writer locks the second contact and then wants the first, which a bulk update holds while
/// it waits for the second: PostgreSQL ends one of them, and the service tries again.
#[tokio::test]
async fn a_write_that_meets_a_deadlock_is_carried_out_in_the_end() {
    let client = organisation().await;
    let mut both = contacts::<2>(&client).await;
    both.sort_by_key(|contact| uuid(contact["id"].as_str().unwrap()));
    let ids = both.each_ref().map(|contact| uuid(contact["id"].as_str().unwrap()));
    let [first, second] = ids.map(|id| format!("SELECT FROM contacts WHERE id = '{id}' FOR UPDATE"));
    let other = superuser(server().addresses.database()).await;
    // The other one waits longer before it looks for a deadlock, so that it is not the one to end.
    other.batch_execute(&format!("SET deadlock_timeout = '60s'; BEGIN; {second}")).await.unwrap();
    let renamed = |contact| {
        let mut row = revision_of(contact);
        row["name"] = json!("Changed");
        row
    };
    let rows: Vec<Value> = both.iter().map(renamed).collect();
    let update = tokio::spawn({
        let client = client.clone();
        async move { several(&client, "update", json!({ "contacts": rows })).await }
    });
    // Until the update waits for the second contact, and so holds the first.
    blocked_by(&other, "UPDATE").await;
    other.batch_execute(&first).await.unwrap();
    other.batch_execute("COMMIT").await.unwrap();
    let answer = update.await.unwrap();
    assert_eq!(answer.ok("/data/done")["count"], 2, "{}", answer.body);
}

#[tokio::test]
async fn of_many_acts_at_once_one_is_carried_out() {
    let client = organisation().await;
    let create = "mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { \
                  webhookEndpoint { id revision } userErrors { code message field } } }";
    let input = json!({ "url": "https://hooks.example.org/", "eventKinds": ["*"] });
    let made =
        client.mutate(create, input).await.ok("/data/createWebhookEndpoint")["webhookEndpoint"].clone();
    let update = "mutation ($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { \
                  webhookEndpoint { revision } userErrors { code message field } } }";
    let change = json!({ "id": made["id"], "expectedRevision": 1, "description": "Changed" });
    let changes = join_all((0..8).map(|_| client.mutate(update, change.clone()))).await;
    let done = changes.iter().filter(|it| it.user_errors("/data/updateWebhookEndpoint").is_empty()).count();
    assert_eq!(done, 1);

    let ping = "mutation ($input: PingWebhookEndpointInput!) { pingWebhookEndpoint(input: $input) { \
                webhookEndpoint { id revision } userErrors { code message field } } }";
    // A stale revision is a conflict, and the payload has the row; without one, nothing is checked.
    let stale = client.mutate(ping, json!({ "id": made["id"], "expectedRevision": 1 })).await;
    assert_eq!(stale.user_errors("/data/pingWebhookEndpoint"), ["CONFLICT expectedRevision"]);
    assert_eq!(stale.at("/data/pingWebhookEndpoint/webhookEndpoint/revision"), 2);
    client.mutate(ping, json!({ "id": made["id"] })).await.ok("/data/pingWebhookEndpoint");
    // With a key it is carried out once, whatever else is sent with it later.
    let keyed = json!({ "id": made["id"], "idempotencyKey": "once" });
    for _ in 0..2 {
        client.mutate(ping, keyed.clone()).await.ok("/data/pingWebhookEndpoint");
    }
    let other = json!({ "id": made["id"], "idempotencyKey": "once", "expectedRevision": 2 });
    let answer = client.mutate(ping, other).await;
    assert_eq!(answer.user_errors("/data/pingWebhookEndpoint"), ["CONFLICT idempotencyKey"]);
    let query = "SELECT count(*) FROM events WHERE kind = 'webhook_endpoint.pinged' \
                 AND organisation_id = $1::text::uuid";
    let database = superuser(server().addresses.database()).await;
    let pings = database.query_one(query, &[&client.organisation_id().to_string()]).await.unwrap();
    assert_eq!(pings.get::<_, i64>(0), 2);
}
