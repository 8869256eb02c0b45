//! One organisation never reaches another's rows: every root field is tried with ids of somebody
//! else, and the database is tried without the service in front of it.

mod filters;

use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::harness::{
    Answer, Client, connect,
    generate::{Filling, IdPlace, RootField, Schema},
    organisation,
    rows::Rows,
    server, superuser, with_tokens,
};

/// Two organisations that know nothing of each other.
async fn strangers() -> (Client, Client) {
    tokio::join!(organisation(), organisation())
}

/// Rows that the root field can be used on: what is to be restored has to be deleted first.
async fn rows_for(schema: &Schema, client: &Client, root: &RootField, place: Option<&IdPlace>) -> Rows {
    let mut rows = Rows::with(client, &schema.needs(root, place)).await;
    if let Some(deleted) = root.name.strip_prefix("restore") {
        let delete = schema.root_field(&format!("delete{deleted}"));
        let request = schema.request(&delete, Filling { rows: &rows, other: None, log_in: &client.log_in });
        client.run(&request.query, request.variables).await.ok(&format!("/data/{}", delete.name));
        // `restoreContacts` restores a `Contact`.
        let names = schema.row_names();
        let restored = names.iter().filter(|name| deleted.starts_with(**name)).max_by_key(|name| name.len());
        rows.touched(restored.unwrap());
    }
    rows
}

/// Every tenant table.
async fn tenant_tables(superuser: &tokio_postgres::Client) -> Vec<String> {
    let query = "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                   AND attname = 'organisation_id' ORDER BY 1";
    superuser.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The columns of a table that its rows do not compute.
async fn given_columns(superuser: &tokio_postgres::Client, table: &str) -> String {
    let query = "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                 WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''";
    superuser.query_one(query, &[&table]).await.unwrap().get(0)
}

/// Everything that belongs to these organisations, as text.
pub(crate) async fn contents(organisations: &[&Client]) -> Vec<String> {
    let superuser = superuser(server().addresses.database()).await;
    let ids: Vec<String> = organisations.iter().map(|client| client.organisation_id().to_string()).collect();
    let mut selects = vec![
        "SELECT 'organisations ' || to_jsonb(t)::text FROM organisations t WHERE id = ANY($1::text[]::uuid[])".to_owned(),
        "SELECT 'accounts ' || to_jsonb(t)::text FROM accounts t
         WHERE id IN (SELECT account_id FROM users WHERE organisation_id = ANY($1::text[]::uuid[]))"
            .to_owned(),
    ];
    selects.extend(tenant_tables(&superuser).await.iter().map(|table| {
        format!("SELECT '{table} ' || to_jsonb(t)::text FROM {table} t WHERE organisation_id = ANY($1::text[]::uuid[])")
    }));
    let query = format!("{} ORDER BY 1", selects.join(" UNION ALL "));
    superuser.query(&query, &[&ids]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Whether an answer tells nothing: null, a list of nothing, a page without rows.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.get("nodes").is_some_and(is_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether the root field was answered as if there were no such row.
fn is_not_found(root: &RootField, answer: &Answer) -> bool {
    let data = &answer.body["data"][&root.name];
    if answer.body.get("errors").is_some() || root.operation == "query" {
        return answer.body.get("errors").is_none() && is_nothing(data);
    }
    let listed = |name: &str| data[name].as_array().cloned().unwrap_or_default();
    let errors = [listed("userErrors"), listed("rowErrors")].concat();
    let rest = data.as_object().into_iter().flatten().filter(|(name, _)| !name.ends_with("Errors"));
    !errors.is_empty()
        && errors.iter().all(|error| error["code"] == "NOT_FOUND")
        && rest.into_iter().all(|(_, value)| is_nothing(value) || *value == json!(0))
}

/// Whether the root field was carried out, and its answer speaks of the row.
fn is_found(root: &RootField, id: &str, answer: &Answer) -> bool {
    let data = &answer.body["data"][&root.name];
    answer.body.get("errors").is_none()
        && ["userErrors", "rowErrors"].iter().all(|list| data.get(list).is_none_or(is_nothing))
        && data.to_string().contains(id)
}

/// Asks one root field with one id of the owner's rows, first as a stranger, then as the owner;
/// what is wrong with the answers.
async fn tried(
    schema: &Schema,
    root: &RootField,
    place: &IdPlace,
    meaning: &str,
    both: [&Client; 2],
) -> Vec<String> {
    let [stranger, owner] = both;
    let own = rows_for(schema, stranger, root, Some(place)).await;
    let foreign = rows_for(schema, owner, root, Some(place)).await;
    let row = foreign.row(meaning);
    let ask = async |client: &Client, rows| {
        let filling = Filling { rows, other: Some((&place.path, row)), log_in: &client.log_in };
        let request = schema.request(root, filling);
        client.run(&request.query, request.variables).await
    };
    let before = contents(&both).await;
    let refused = ask(stranger, &own).await;
    let unchanged = contents(&both).await == before;
    let granted = ask(owner, &foreign).await;
    let what = |wrong: &str, answer: &Answer| {
        format!("{}({}: {meaning}) {wrong}: {}", root.name, place.path.join("."), answer.body)
    };
    let findings = [
        (is_not_found(root, &refused), "is not NOT_FOUND for a stranger", &refused),
        (!foreign.appear_in(&refused.body.to_string()), "tells a stranger something", &refused),
        (unchanged, "changes something for a stranger", &refused),
        (is_found(root, &row.id, &granted), "does not work for the owner", &granted),
    ];
    findings.into_iter().filter(|(right, ..)| !right).map(|(_, wrong, answer)| what(wrong, answer)).collect()
}

#[tokio::test]
async fn no_id_of_another_organisation_is_found_and_nothing_of_it_changes() {
    let schema = Schema::served();
    let (owner, stranger) = strangers().await;
    let (mut count, mut wrong) = (0, vec![]);
    for root in schema.root_fields() {
        for place in schema.id_places(&root).iter().filter(|place| !place.in_filter) {
            for meaning in schema.meanings(&root, place) {
                wrong.extend(tried(schema, &root, place, meaning, [&stranger, &owner]).await);
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "only {count} ids were tried");
}

#[tokio::test]
async fn every_entity_can_be_tried() {
    let rows = Rows::of(&organisation().await).await;
    for name in Schema::served().node_types() {
        assert!(!rows.row(name).id.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_request_of_a_node_names_one_type_however_many_there_are() {
    let schema = Schema::served();
    let client = organisation().await;
    let rows = Rows::of(&client).await;
    for root in ["node", "nodes"] {
        let requests = schema.requests(&schema.root_field(root), &rows, &client.log_in);
        assert_eq!(requests.len(), schema.row_names().len());
        for request in requests {
            let types = schema.node_types();
            let named = types.iter().filter(|ty| request.query.contains(&format!("... on {ty} ")));
            assert_eq!(named.count(), 1, "{}", request.query);
        }
    }
}

#[test]
fn what_nobody_knows_how_to_try_fails_with_what_to_add() {
    let sdl = "type Query { widget(id: ID!): Widget, gadget(input: GadgetInput!): Widget }
               interface Node { id: ID! }
               type Widget implements Node { id: ID! }
               input GadgetInput { colour: Colour!, madeById: ID }
               scalar Colour";
    let schema = Schema::parse(sdl);
    let rows = Rows::none();
    let complaint = |tried: &dyn Fn()| {
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(tried));
        *tried.unwrap_err().downcast::<String>().unwrap()
    };
    let meanings = |root: &str| {
        let root = schema.root_field(root);
        let places = schema.id_places(&root);
        places.iter().flat_map(|place| schema.meanings(&root, place)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(meanings("widget"), ["Widget"]);
    let unmade = complaint(&|| drop(schema.creation("Widget")));
    assert!(unmade.starts_with("nothing makes a Widget: say how in Rows::make"), "{unmade}");
    let unknown = complaint(&|| drop(meanings("gadget")));
    let expected = "nobody knows what the id at gadget(input.madeById) is of: add it to MEANINGS";
    assert!(unknown.starts_with(expected), "{unknown}");
    let unfilled = complaint(&|| {
        let filling = Filling { rows: &rows, other: None, log_in: &Value::Null };
        drop(schema.request(&schema.root_field("gadget"), filling));
    });
    assert!(unfilled.starts_with("add the scalar Colour at gadget.input.colour to scalar()"), "{unfilled}");
}

#[test]
fn there_is_nothing_to_subscribe_to_that_is_not_tried() {
    let sdl = gateway::sdl();
    assert!(!sdl.contains("type Subscription"), "let isolation.rs and permissions.rs try subscriptions too");
}

#[tokio::test]
async fn no_query_shows_rows_of_another_organisation() {
    let schema = Schema::served();
    let (owner, stranger) = strangers().await;
    let (foreign, own) = (Rows::of(&owner).await, Rows::of(&stranger).await);
    let queries = schema.root_fields().into_iter().filter(|root| root.operation == "query");
    for root in queries {
        for request in schema.requests(&root, &own, &stranger.log_in) {
            let answer = stranger.run(&request.query, request.variables).await;
            let text = answer.ok(&format!("/data/{}", root.name)).to_string();
            assert!(own.appear_in(&text), "{} shows nothing of the organisation itself: {text}", root.name);
            assert!(!foreign.appear_in(&text), "{} shows rows of another organisation: {text}", root.name);
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_organisation_opens_nothing_of_it() {
    let schema = Schema::served();
    let (owner, stranger) = strangers().await;
    let (foreign, _own) = (Rows::of(&owner).await, Rows::of(&stranger).await);
    for root in schema.root_fields().into_iter().filter(|root| root.operation == "query" && root.is_list()) {
        let name = &root.name;
        let list = format!(
            "query ($after: String, $before: String) {{ {name}(after: $after, before: $before) \
                            {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} }} }}"
        );
        let page = owner.run(&list, json!({})).await.ok(&format!("/data/{name}"))["pageInfo"].clone();
        for beyond in [json!({ "after": page["startCursor"] }), json!({ "before": page["endCursor"] })] {
            assert!(beyond.as_object().unwrap().values().all(Value::is_string), "{name} has no rows: {page}");
            let answer = stranger.run(&list, beyond).await;
            let text = answer.ok(&format!("/data/{name}")).to_string();
            assert!(!foreign.appear_in(&text), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn no_mutation_reaches_another_organisations_rows() {
    let schema = Schema::served();
    let (owner, stranger) = strangers().await;
    let foreign = Rows::of(&owner).await;
    let before = contents(&[&owner]).await;
    for root in schema.root_fields().into_iter().filter(|root| root.operation == "mutation") {
        let own = rows_for(schema, &stranger, &root, None).await;
        // Some mutations use the log-in up.
        let asking = stranger.log_in_as(stranger.log_in["user"]["email"].as_str().unwrap()).await;
        let log_in = with_tokens(&asking, &root.name).await;
        let request = schema.request(&root, Filling { rows: &own, other: None, log_in: &log_in });
        let answer = asking.run(&request.query, request.variables).await;
        answer.ok(&format!("/data/{}", root.name));
        assert!(!foreign.appear_in(&answer.body.to_string()), "{}: {}", root.name, answer.body);
        assert_eq!(contents(&[&owner]).await, before, "{}", root.name);
    }
}

#[tokio::test]
async fn a_refused_creation_leaves_nothing_behind_not_even_its_key() {
    let (owner, stranger) = strangers().await;
    let foreign = Rows::of(&owner).await;
    let before = contents(&[&stranger]).await;
    let create = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                  contact { id } userErrors { code message field } } }";
    let company = &foreign.row("company").id;
    let mut input =
        json!({ "kind": "PERSON", "name": "Nobody", "companyId": company, "idempotencyKey": "once" });
    let answer = stranger.mutate(create, input.clone()).await;
    assert_eq!(answer.user_errors("/data/createContact"), ["NOT_FOUND contact.companyId"]);
    assert_eq!(contents(&[&stranger]).await, before);
    input["companyId"] = Value::Null;
    stranger.mutate(create, input).await.ok("/data/createContact");
}

#[tokio::test]
async fn an_import_finds_no_company_of_another_organisation() {
    let (owner, stranger) = strangers().await;
    let foreign = Rows::of(&owner).await;
    let import = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { \
                  createdCount contacts { company { name } } rowErrors { code column } userErrors { code message field } } }";
    let csv = format!("name,company\nNobody,{}\n", foreign.marker);
    let before = contents(&[&owner, &stranger]).await;
    let answer = stranger.run(import, json!({ "input": { "csv": csv } })).await;
    let expected = json!([{ "code": "NOT_FOUND", "column": "company" }]);
    assert_eq!(answer.ok("/data/importContacts")["rowErrors"], expected);
    assert_eq!(contents(&[&owner, &stranger]).await, before);
    let answer = owner.run(import, json!({ "input": { "csv": csv } })).await;
    let expected = json!([{ "company": { "name": foreign.marker } }]);
    assert_eq!(answer.ok("/data/importContacts")["contacts"], expected);
}

#[tokio::test]
async fn an_idempotency_key_answers_in_its_own_organisation_alone() {
    let (owner, stranger) = strangers().await;
    let input = json!({ "kind": "COMPANY", "name": "Once", "idempotencyKey": "the same" });
    let first = owner.create_contact(input.clone()).await;
    assert_eq!(owner.create_contact(input.clone()).await, first);
    let other = stranger.create_contact(input).await;
    assert_ne!(other["id"], first["id"]);
    let answer =
        stranger.run("query ($id: ID!) { contact(id: $id) { id } }", json!({ "id": other["id"] })).await;
    assert_eq!(answer.ok("/data/contact")["id"], other["id"]);
}

/// A refresh token with the 16 bytes of its organisation taken from another token.
fn readdressed(token: &str, address: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit =
        |text: &str, at: usize| DIGITS.iter().position(|digit| *digit == text.as_bytes()[at]).unwrap();
    // 16 bytes are 21 digits and the two upper bits of the next.
    let shared = (digit(address, 21) & 0b11_0000) | (digit(token, 21) & 0b00_1111);
    format!("{}{}{}", &address[..21], char::from(DIGITS[shared]), &token[22..])
}

#[tokio::test]
async fn a_refresh_token_opens_no_other_organisation() {
    let (owner, stranger) = strangers().await;
    let refresh = "mutation ($token: String!) { refreshLogIn(input: { refreshToken: $token }) { \
                   logIn { organisation { id } } userErrors { code message field } } }";
    let [own, foreign] = [&stranger, &owner].map(|client| client.log_in["refreshToken"].as_str().unwrap());
    let before = contents(&[&owner]).await;
    let answer = stranger.run(refresh, json!({ "token": readdressed(own, foreign) })).await;
    assert_eq!(answer.user_errors("/data/refreshLogIn"), ["INVALID refreshToken"]);
    assert_eq!(contents(&[&owner]).await, before);
    // Unharmed, so that the refusal above was for the address.
    let answer = stranger.run(refresh, json!({ "token": readdressed(own, own) })).await;
    assert_eq!(answer.logged_in("refreshLogIn")["organisation"]["id"], stranger.log_in["organisation"]["id"]);
}

/// Runs one statement as this organisation and takes it back; the rows touched, or the complaint.
async fn attempt(role: &tokio_postgres::Client, organisation: Uuid, sql: &str) -> Result<u64, SqlState> {
    role.batch_execute(&format!("BEGIN; SET LOCAL app.organisation_id = '{organisation}'")).await.unwrap();
    let outcome = role.execute(sql, &[]).await.map_err(|error| error.code().unwrap().clone());
    role.batch_execute("ROLLBACK").await.unwrap();
    outcome
}

async fn state(role: &tokio_postgres::Client, sql: &str) -> Option<SqlState> {
    role.simple_query(sql).await.err().map(|error| error.code().unwrap().clone())
}

#[tokio::test]
async fn without_its_tenant_a_query_is_an_error_and_never_an_empty_answer() {
    let owner = organisation().await;
    Rows::of(&owner).await;
    let behind = superuser(server().addresses.database()).await;
    let tables = tenant_tables(&behind).await;
    let fresh = connect(server().addresses.app.as_str()).await;
    for table in &tables {
        let select = format!("SELECT 1 FROM {table} LIMIT 1");
        assert!(!behind.query(&select, &[]).await.unwrap().is_empty(), "make a row of {table} in Rows::of");
        assert_eq!(
            state(&fresh, &select).await,
            Some(SqlState::UNDEFINED_OBJECT),
            "{table} without a tenant"
        );
    }
    let used = connect(server().addresses.app.as_str()).await;
    used.batch_execute(&format!("BEGIN; SET LOCAL app.organisation_id = '{}'", owner.organisation_id()))
        .await
        .unwrap();
    for table in &tables {
        let count = format!("SELECT count(*) FROM {table}");
        let of_owner = format!("{count} WHERE organisation_id = '{}'", owner.organisation_id());
        let seen: i64 = used.query_one(&count, &[]).await.unwrap().get(0);
        let there: i64 = behind.query_one(&of_owner, &[]).await.unwrap().get(0);
        assert!(seen > 0 && seen == there, "{table}: {seen} of {there} rows are seen");
    }
    used.batch_execute("COMMIT").await.unwrap();
    for table in &tables {
        let outcome = state(&used, &format!("SELECT 1 FROM {table} LIMIT 1")).await;
        assert_eq!(outcome, Some(SqlState::INVALID_TEXT_REPRESENTATION), "{table} after its transaction");
    }
}

#[tokio::test]
async fn the_database_lets_nobody_write_into_another_organisation() {
    let (owner, stranger) = strangers().await;
    Rows::of(&owner).await;
    Rows::of(&stranger).await;
    let (foreign, own) = (owner.organisation_id(), stranger.organisation_id());
    let behind = superuser(server().addresses.database()).await;
    let app = connect(server().addresses.app.as_str()).await;
    let before = contents(&[&owner]).await;
    let denied = Err(SqlState::INSUFFICIENT_PRIVILEGE);
    for table in tenant_tables(&behind).await {
        let columns = given_columns(&behind, &table).await;
        let copy = |organisation: Uuid| {
            format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM (
                     SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(t) || \
                     jsonb_build_object('organisation_id', '{organisation}'::uuid))).* FROM {table} t LIMIT 1) copy"
            )
        };
        assert_eq!(attempt(&app, own, &copy(foreign)).await, denied, "INSERT into {table}");
        // Into its own organisation the same row only collides with itself, where it may be written at all.
        let may: bool = behind
            .query_one("SELECT has_table_privilege('tessera_app', $1::text, 'INSERT')", &[&table])
            .await
            .unwrap()
            .get(0);
        let expected = if may { Err(SqlState::UNIQUE_VIOLATION) } else { denied.clone() };
        assert_eq!(attempt(&app, own, &copy(own)).await, expected, "INSERT into {table}");
        assert_eq!(
            attempt(&app, own, &format!("UPDATE {table} SET organisation_id = '{foreign}'")).await,
            denied,
            "UPDATE {table}"
        );
        for sql in [
            format!("UPDATE {table} SET organisation_id = '{own}' WHERE organisation_id = '{foreign}'"),
            format!("DELETE FROM {table} WHERE organisation_id = '{foreign}'"),
            format!("SELECT FROM {table} WHERE organisation_id = '{foreign}'"),
        ] {
            let outcome = attempt(&app, own, &sql).await;
            assert!(outcome == Ok(0) || outcome == denied, "{sql}: {outcome:?}");
        }
    }
    assert_eq!(contents(&[&owner]).await, before);
}

#[tokio::test]
async fn each_role_stays_on_its_side() {
    let own = organisation().await.organisation_id();
    let [app, system] = [&server().addresses.app, &server().addresses.system];
    let (app, system) = tokio::join!(connect(app.as_str()), connect(system.as_str()));
    let owner = server().addresses.owner.username();
    let denied = Err(SqlState::INSUFFICIENT_PRIVILEGE);
    let become_owner = format!("SET LOCAL ROLE {owner}");
    for sql in [
        "SELECT FROM accounts",
        "SELECT password_hash FROM accounts",
        "DELETE FROM contacts",
        "TRUNCATE contacts",
        "INSERT INTO audit_entries (entity, entity_id, action) VALUES ('contacts', gen_random_uuid(), 'INSERT')",
        "UPDATE audit_entries SET user_id = NULL",
        "DELETE FROM audit_entries",
        "SELECT write_audit()",
        "SELECT FROM audit_entries_default",
        "INSERT INTO audit_entries_default (entity, entity_id, action) VALUES ('contacts', gen_random_uuid(), 'INSERT')",
        "SELECT keep_audit_partitions()",
        "CREATE TABLE public.own (id int)",
        "ALTER TABLE contacts DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE contacts DISABLE TRIGGER ALL",
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL ROLE tessera_system",
        &become_owner,
    ] {
        assert_eq!(attempt(&app, own, sql).await, denied, "the app's role: {sql}");
    }
    for sql in [
        "SELECT FROM contacts",
        "SELECT FROM audit_entries",
        "SELECT FROM refresh_tokens",
        "SELECT FROM idempotency_keys",
        "DELETE FROM users",
        "UPDATE users SET roles = '{ADMIN}'",
        "DELETE FROM organisations",
        "SET LOCAL ROLE tessera_app",
        &become_owner,
    ] {
        assert_eq!(attempt(&system, own, sql).await, denied, "the system's role: {sql}");
    }
    // Asked to do without row security, PostgreSQL refuses instead of showing everything.
    app.batch_execute("SET row_security = off").await.unwrap();
    assert_eq!(attempt(&app, own, "SELECT FROM contacts").await, denied);
}

#[tokio::test]
async fn no_audit_entry_can_be_diverted_into_a_temporary_table() {
    let client = organisation().await;
    Rows::of(&client).await;
    let app = connect(server().addresses.app.as_str()).await;
    let decoy = "CREATE TEMPORARY TABLE audit_entries (LIKE public.audit_entries INCLUDING DEFAULTS); \
                 GRANT ALL ON audit_entries TO PUBLIC";
    let made = app.batch_execute(decoy).await;
    let own = client.organisation_id();
    let before = contents(&[&client]).await;
    app.batch_execute(&format!("BEGIN; SET LOCAL app.organisation_id = '{own}'")).await.unwrap();
    app.batch_execute("UPDATE contacts SET notes = 'unseen'; COMMIT").await.unwrap();
    let audited =
        |contents: &[String]| contents.iter().filter(|row| row.starts_with("audit_entries ")).count();
    let written = audited(&contents(&[&client]).await) - audited(&before);
    assert_eq!(written, 2, "entries of two changed contacts; the decoy was {made:?}");
}
