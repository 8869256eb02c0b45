//! The audit: nothing changes without it, and nobody writes it but the tables themselves.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, PASSWORD, connect, input_of, organisation, server, superuser, uuid};

/// One audit row, as a superuser sees it.
#[derive(Debug)]
struct Entry {
    user_id: Option<Uuid>,
    request_id: Option<String>,
    what: String,
    entity_id: Uuid,
    before: Option<Value>,
    after: Option<Value>,
}

/// The audit of a client's organisation, oldest first; of one request, if there is one.
async fn entries(client: &Client, request_id: Option<&str>) -> Vec<Entry> {
    let sql = "SELECT user_id::text, request_id, action || ' ' || entity, entity_id::text, before::text, after::text
               FROM audit_entries WHERE organisation_id = $1::text::uuid AND ($2::text IS NULL OR request_id = $2)
               ORDER BY created_at, entity, entity_id";
    let organisation = client.organisation_id().to_string();
    let database = superuser(server().addresses.database()).await;
    let rows = database.query(sql, &[&organisation, &request_id]).await.unwrap();
    let parsed = |text: Option<String>| text.map(|text| text.parse().unwrap());
    let entry = |row: &tokio_postgres::Row| Entry {
        user_id: row.get::<_, Option<String>>(0).map(|id| id.parse().unwrap()),
        request_id: row.get(1),
        what: row.get(2),
        entity_id: row.get::<_, String>(3).parse().unwrap(),
        before: parsed(row.get(4)),
        after: parsed(row.get(5)),
    };
    rows.iter().map(entry).collect()
}

/// Sends a document under a request id of its own, and answers the payload and what was audited.
async fn audited(client: &Client, query: &str, input: Value) -> (Value, Vec<Entry>) {
    let request_id = format!("audit-{}", Uuid::now_v7().simple());
    let mut request = crate::harness::http()
        .post(format!("{}/graphql", client.url))
        .header("content-type", "application/json")
        .header("x-request-id", &request_id)
        .body(json!({ "query": query, "variables": { "input": input_of(query, input) } }).to_string());
    if let Some(token) = &client.access_token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], request_id.as_str());
    let body: Value = response.text().await.unwrap().parse().unwrap();
    assert!(body.get("errors").is_none(), "{body}");
    let payload = body["data"].as_object().unwrap().values().next().unwrap().clone();
    let entries = entries(client, Some(&request_id)).await;
    assert!(entries.iter().all(|entry| entry.request_id.as_deref() == Some(&request_id)));
    (payload, entries)
}

fn user_id(client: &Client) -> Option<Uuid> {
    Some(uuid(client.log_in["user"]["id"].as_str().unwrap()))
}

/// A mutation of one contact that answers its id, revision and errors.
fn mutation(field: &str, input: &str) -> String {
    format!(
        "mutation ($input: {input}!) {{ {field}(input: $input) {{ \
         contact {{ id revision }} userErrors {{ code message field }} }} }}"
    )
}

#[tokio::test]
async fn every_step_of_a_contacts_life_is_audited_with_before_and_after() {
    let client = organisation().await;
    let create = mutation("createContact", "CreateContactInput");
    let (made, created) = audited(&client, &create, json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let id = &made["contact"]["id"];
    let update = mutation("updateContact", "UpdateContactInput");
    let (_, updated) =
        audited(&client, &update, json!({ "id": id, "expectedRevision": 1, "name": "Eve" })).await;
    let delete = mutation("deleteContact", "DeleteContactInput");
    let (_, deleted) = audited(&client, &delete, json!({ "id": id, "expectedRevision": 2 })).await;
    let restore = mutation("restoreContact", "RestoreContactInput");
    let (_, restored) = audited(&client, &restore, json!({ "id": id, "expectedRevision": 3 })).await;

    let steps = [created, updated, deleted, restored];
    let whats = ["INSERT contacts", "UPDATE contacts", "UPDATE contacts", "UPDATE contacts"];
    // The columns of the change, and of them the name and the revision.
    let state = |row: &Option<Value>| {
        let columns = row.as_ref()?.as_object().unwrap();
        let mut names: Vec<&str> = columns.keys().map(String::as_str).collect();
        names.sort_unstable();
        let names = if names.len() > 4 { "whole".to_owned() } else { names.join(" ") };
        let column = |name: &str| columns.get(name).unwrap_or(&Value::Null);
        let is_deleted = column("deleted_at").is_string();
        Some(format!("{names}: {} {} {is_deleted}", column("name"), column("revision")))
    };
    let befores = [
        None,
        Some("name revision updated_at: \"Ada\" 1 false"),
        Some("deleted_at revision updated_at: null 2 false"),
        Some("deleted_at revision updated_at: null 3 true"),
    ];
    let afters = [
        "whole: \"Ada\" 1 false",
        "name revision updated_at: \"Eve\" 2 false",
        "deleted_at revision updated_at: null 3 true",
        "deleted_at revision updated_at: null 4 false",
    ];
    for (((step, what), before), after) in steps.iter().zip(whats).zip(befores).zip(afters) {
        let [entry] = step.as_slice() else { panic!("{what}: {step:?}") };
        assert_eq!(entry.what, what);
        assert_eq!((entry.user_id, entry.entity_id), (user_id(&client), uuid(id.as_str().unwrap())));
        assert_eq!((state(&entry.before).as_deref(), state(&entry.after).as_deref()), (before, Some(after)));
    }
}

#[tokio::test]
async fn every_row_of_an_import_is_audited_and_no_row_of_a_dry_one() {
    let client = organisation().await;
    let query = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { createdCount } }";
    let csv = "name,company\nAcme,\nAda,Acme\nBen,Acme\n";
    let (_, dry) = audited(&client, query, json!({ "csv": csv, "dryRun": true })).await;
    assert!(dry.is_empty(), "{dry:?}");
    let (payload, entries) = audited(&client, query, json!({ "csv": csv })).await;
    assert_eq!(payload["createdCount"], 3);
    let mut names: Vec<_> =
        entries.iter().map(|entry| entry.after.as_ref().unwrap()["name"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"Acme\"", "\"Ada\"", "\"Ben\""]);
    assert!(entries.iter().all(|entry| entry.what == "INSERT contacts" && entry.user_id == user_id(&client)));
}

#[tokio::test]
async fn sign_up_log_in_and_log_out_are_audited() {
    let client = organisation().await;
    let whats = |entries: &[Entry]| entries.iter().map(|entry| entry.what.clone()).collect::<Vec<_>>();
    let signed_up = entries(&client, None).await;
    let mut found = whats(&signed_up);
    found.sort();
    assert_eq!(
        found,
        ["INSERT login_sessions", "INSERT mailed_tokens", "INSERT organisations", "INSERT users"]
    );
    assert!(signed_up.iter().all(|entry| entry.user_id == user_id(&client) && entry.request_id.is_some()));
    let organisation = signed_up.iter().find(|entry| entry.what == "INSERT organisations").unwrap();
    assert_eq!(organisation.entity_id, client.organisation_id());

    let log_in = "mutation ($input: LogInInput!) { logIn(input: $input) { logIn { accessToken } } }";
    let input = json!({ "email": client.log_in["user"]["email"], "password": PASSWORD });
    // Nobody, but it is still known whose audit to look at.
    let mut nobody = client.clone();
    nobody.access_token = None;
    let (payload, logged_in) = audited(&nobody, log_in, input).await;
    assert_eq!(whats(&logged_in), ["INSERT login_sessions"]);
    assert_eq!(logged_in[0].user_id, user_id(&client));

    let mut second = client.clone();
    second.access_token = payload["logIn"]["accessToken"].as_str().map(str::to_owned);
    let (_, logged_out) = audited(&second, "mutation { logOut { userErrors { code } } }", Value::Null).await;
    assert_eq!(whats(&logged_out), ["UPDATE login_sessions"]);
    assert_eq!(logged_out[0].entity_id, logged_in[0].entity_id);
    assert_eq!(logged_out[0].after.as_ref().unwrap()["end_reason"], "LOGGED_OUT");
    assert_eq!(logged_out[0].before.as_ref().unwrap()["end_reason"], Value::Null);
}

#[tokio::test]
async fn what_fails_leaves_no_audit() {
    let (client, stranger) = (organisation().await, organisation().await);
    let own = client.create_contact(json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let foreign = stranger.create_contact(json!({ "kind": "COMPANY", "name": "Ben" })).await;
    let before = entries(&client, None).await.len();
    let (create, update) =
        (mutation("createContact", "CreateContactInput"), mutation("updateContact", "UpdateContactInput"));
    let failing = [
        (&create, json!({ "kind": "COMPANY", "name": "" })),
        (&create, json!({ "kind": "PERSON", "name": "Eve", "companyId": foreign["id"] })),
        (&update, json!({ "id": own["id"], "expectedRevision": 7, "name": "Eve" })),
        (&update, json!({ "id": foreign["id"], "expectedRevision": 1, "name": "Eve" })),
    ];
    for (query, input) in failing {
        let (payload, audited) = audited(&client, query, input).await;
        assert_ne!(payload["userErrors"], json!([]), "{payload}");
        assert!(audited.is_empty(), "{payload} {audited:?}");
    }
    assert_eq!(entries(&client, None).await.len(), before);
    assert!(entries(&stranger, None).await.iter().all(|entry| entry.user_id == user_id(&stranger)));
}

#[tokio::test]
async fn the_services_roles_cannot_write_the_audit() {
    let client = organisation().await;
    let (addresses, organisation) = (&server().addresses, client.organisation_id());
    let forge = "CREATE TEMP TABLE forged (organisation_id uuid, id uuid);
                 CREATE TRIGGER audit AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION write_audit()";
    for url in [&addresses.app, &addresses.system] {
        let connection = connect(url.as_str()).await;
        for sql in [
            "INSERT INTO audit_entries (entity, entity_id, action) VALUES ('x', gen_random_uuid(), 'INSERT')",
            "UPDATE audit_entries SET user_id = NULL",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            "ALTER TABLE audit_entries DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE contacts DISABLE TRIGGER audit",
            "SET session_replication_role = replica",
            forge,
        ] {
            let begin = format!("BEGIN; SET LOCAL app.organisation_id = '{organisation}'");
            connection.batch_execute(&begin).await.unwrap();
            let error = connection.batch_execute(sql).await.expect_err(sql);
            let code = error.code().map(|code| code.code().to_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error:?}");
            connection.batch_execute("ROLLBACK").await.unwrap();
        }
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_audit() {
    let client = organisation().await;
    let refresh =
        "mutation ($input: RefreshLogInInput!) { refreshLogIn(input: $input) { logIn { refreshToken } } }";
    let input = json!({ "refreshToken": client.log_in["refreshToken"] });
    client.run(refresh, json!({ "input": input })).await.ok("/data/refreshLogIn");
    let database = superuser(server().addresses.database()).await;
    let sql = "SELECT (SELECT string_agg(audit::text, ' ') FROM audit_entries audit WHERE organisation_id = $1::text::uuid),
                      (SELECT array_agg(encode(secret_hash, 'hex')) FROM refresh_tokens WHERE organisation_id = $1::text::uuid)
                      || (SELECT array_agg(password_hash) FROM accounts JOIN users ON account_id = accounts.id
                          WHERE organisation_id = $1::text::uuid)";
    let row = database.query_one(sql, &[&client.organisation_id().to_string()]).await.unwrap();
    let (audit, mut secrets): (String, Vec<String>) = (row.get(0), row.get(1));
    assert_eq!(secrets.len(), 3, "two tokens and a password: {secrets:?}");
    secrets.extend(["$argon2", PASSWORD, "secret_hash", "password"].map(str::to_owned));
    secrets.push(client.log_in["refreshToken"].as_str().unwrap().to_owned());
    for secret in secrets {
        assert!(!audit.contains(&secret), "{secret} in {audit}");
    }
}
