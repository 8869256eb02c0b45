//! What a request means: its variables, its conditions, and the form of its answer.

mod fuzz;
mod grammar;
mod hostile;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, organisation};

/// How many contacts there are.
async fn total(client: &Client) -> Value {
    client.run("{ contacts { totalCount } }", json!({})).await.ok("/data/contacts")["totalCount"].clone()
}

/// Refused before anything was executed: status 400, no data, these codes and places.
#[track_caller]
fn refused(answer: &Answer, errors: &[&str]) {
    assert_eq!(
        (answer.status, answer.errors()),
        (400, errors.iter().map(ToString::to_string).collect()),
        "{}",
        answer.text
    );
    assert!(answer.body.get("data").is_none(), "{}", answer.text);
}

fn data(answer: &Answer) -> &Value {
    assert!(answer.body.get("errors").is_none(), "{}", answer.text);
    &answer.body["data"]
}

#[tokio::test]
async fn a_missing_required_variable_refuses_the_request() {
    let client = organisation().await;
    client.create_contact(json!({ "name": "Ada" })).await;
    let import = "mutation ($csv: String!, $dry: Boolean!) \
                  { importContacts(input: {csv: $csv, dryRun: $dry}) { createdCount } }";
    let answer = client.run(import, json!({ "csv": "name\nX\n" })).await;
    refused(&answer, &["BAD_REQUEST variables.dry"]);
    assert_eq!(answer.at("/errors/0/message"), "Variable $dry of type Boolean! is required.");
    assert_eq!(answer.at("/errors/0/locations/0"), &json!({ "line": 1, "column": 26 }));
    let product = "mutation ($p: Decimal!) { createProduct(input: {product: {name: \"P\", ourCost: $p}}) { product { id } } }";
    refused(&client.run(product, json!({})).await, &["BAD_REQUEST variables.p"]);
    let queries = [
        "query ($v: ID!) { contacts(where: {companyId: {eq: $v}}) { totalCount } }",
        "query ($v: [ID!]!) { contacts(where: {id: {in: $v}}) { totalCount } }",
        "query ($v: ContactFilter!) { contacts(where: $v) { totalCount } }",
        "query ($v: Int!) { contacts(first: $v) { totalCount } }",
        "query ($v: String!) { contacts(after: $v) { totalCount } }",
        "query ($v: [ContactOrderBy!]!) { contacts(orderBy: $v) { totalCount } }",
        "query ($v: Int!) { contactsAggregate(groupBy: {country: true}, having: {count: {gt: $v}}) { count } }",
        "query ($v: ContactHaving!) { contactsAggregate(groupBy: {country: true}, having: $v) { count } }",
        "query ($v: DateTime!) { contactsAggregate(groupBy: {createdAt: {bucket: DAY, from: $v}}) { count } }",
        "query ($v: ContactFilter!) { contacts { nodes { people(where: $v) { totalCount } } } }",
        "query ($v: Boolean!) { contacts { totalCount @skip(if: $v) nodes { id } } }",
    ];
    for query in queries {
        refused(&client.run(query, json!({})).await, &["BAD_REQUEST variables.v"]);
        refused(&client.run(query, json!({ "v": null })).await, &["BAD_REQUEST variables.v"]);
    }
    assert_eq!(total(&client).await, 1);
    assert_eq!(
        client.run("{ products { totalCount } }", json!({})).await.ok("/data/products")["totalCount"],
        0
    );
}

#[tokio::test]
async fn a_variable_of_a_wrong_type_is_a_request_error_with_its_path() {
    let client = organisation().await;
    let cases = [
        ("query ($w: ContactFilter) { contacts(where: $w) { totalCount } }", json!({ "w": "x" }), "w"),
        ("query ($n: Int!) { contacts(first: $n) { totalCount } }", json!({ "n": 2147483648_i64 }), "n"),
        ("query ($n: Int!) { contacts(first: $n) { totalCount } }", json!({ "n": 1.5 }), "n"),
        (
            "query ($k: ContactKind) { contacts(where: {kind: {eq: $k}}) { totalCount } }",
            json!({ "k": "X" }),
            "k",
        ),
        (
            "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }",
            json!({ "input": { "contact": { "kind": "PERSON", "name": "A", "kynd": "PERSON" } } }),
            "input.contact",
        ),
        (
            "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }",
            json!({ "input": { "contact": { "name": "A", "kind": "ROBOT" } } }),
            "input.contact.kind",
        ),
    ];
    for (query, variables, place) in cases {
        refused(&client.run(query, variables).await, &[&format!("BAD_REQUEST variables.{place}")]);
    }
    // Several mistakes are said together, and clients of the older media type get them with 200.
    let query =
        "query ($a: Int!, $b: ContactKind) { contacts(first: $a, where: {kind: {eq: $b}}) { totalCount } }";
    let answer = client.run(query, json!({ "a": "1", "b": 2 })).await;
    refused(&answer, &["BAD_REQUEST variables.a", "BAD_REQUEST variables.b"]);
    let body = json!({ "query": query }).to_string();
    let json = client.send_as("application/json", &body).await;
    assert_eq!((json.status, json.body.get("data")), (200, None));
    assert_eq!(total(&client).await, 0);
}

#[tokio::test]
async fn a_nullable_variable_that_is_not_sent_is_as_if_it_was_not_written() {
    let client = organisation().await;
    let contact = client.create_contact(json!({ "name": "Ada", "notes": "kept" })).await;
    let query = "query ($n: Int, $w: ContactFilter!, $k: ContactKind) \
                 { contacts(first: $n, where: {and: [{kind: {eq: $k}}], or: [$w]}) { totalCount } }";
    let answer = client.run(query, json!({ "w": {} })).await;
    assert_eq!(data(&answer)["contacts"]["totalCount"], 1);
    let update = "mutation ($id: ID!, $name: String, $notes: String) { \
                  updateContact(input: {id: $id, expectedRevision: 1, name: $name, notes: $notes}) \
                  { contact { name notes } userErrors { message } } }";
    let answer = client.run(update, json!({ "id": contact["id"], "name": "Eve" })).await;
    assert_eq!(answer.ok("/data/updateContact")["contact"], json!({ "name": "Eve", "notes": "kept" }));
}

#[tokio::test]
async fn a_nullable_variable_that_is_not_sent_leaves_every_inputs_own_default() {
    let client = organisation().await;
    let import = "mutation ($csv: String!, $dry: Boolean, $skip: Boolean) \
                  { importContacts(input: {csv: $csv, dryRun: $dry, skipInvalid: $skip}) { createdCount userErrors { code } } }";
    let answer = client.run(import, json!({ "csv": "name\nX\n" })).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 1);
    let endpoint = "mutation { createWebhookEndpoint(input: {webhookEndpoint: {url: \"http://127.0.0.1:9/\", eventKinds: [\"*\"]}}) { webhookEndpoint { id } userErrors { message } } }";
    let endpoint = client.run(endpoint, json!({})).await.ok("/data/createWebhookEndpoint")["webhookEndpoint"]
        ["id"]
        .clone();
    let rotate = "mutation ($id: ID!, $hours: Int) { rotateWebhookEndpoint(input: {id: $id, overlapHours: $hours}) \
                  { webhookEndpoint { secrets { expiresAt } } userErrors { message } } }";
    let answer = client.run(rotate, json!({ "id": endpoint })).await;
    // The old secret signs on for a while.
    let secrets = &answer.ok("/data/rotateWebhookEndpoint")["webhookEndpoint"]["secrets"];
    assert!(secrets[1]["expiresAt"].is_string(), "{}", answer.text);
}

#[tokio::test]
async fn conditions_hold_with_their_defaults_and_what_is_skipped_is_not_done() {
    let client = organisation().await;
    let skipped = "mutation ($s: Boolean = true) { createContact(input: {contact: {kind: COMPANY, name: \"no\"}}) @skip(if: $s) { contact { id } } }";
    let answer = client.run(skipped, json!({})).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"data":{}}"#));
    let excluded = "mutation ($i: Boolean = false) { createContact(input: {contact: {kind: COMPANY, name: \"no\"}}) @include(if: $i) { contact { id } } }";
    assert_eq!(client.run(excluded, json!({})).await.text, r#"{"data":{}}"#);
    assert_eq!(total(&client).await, 0);
    let included = "query ($i: Boolean = true) { contacts(first: 1) { totalCount @include(if: $i) } }";
    assert_eq!(data(&client.run(included, json!({})).await), &json!({ "contacts": { "totalCount": 0 } }));
    assert_eq!(data(&client.run(included, json!({ "i": false })).await), &json!({ "contacts": {} }));
    refused(&client.run(included, json!({ "i": null })).await, &["BAD_REQUEST variables.i"]);
    refused(&client.run(included, json!({ "i": "yes" })).await, &["BAD_REQUEST variables.i"]);
    let fragment = "query ($f: Boolean!) { ...q @skip(if: $f) } fragment q on Query { me { id } }";
    assert_eq!(client.run(fragment, json!({ "f": true })).await.text, r#"{"data":{}}"#);
}

#[tokio::test]
async fn an_object_without_selected_fields_is_empty_and_not_null() {
    let client = organisation().await;
    let me = "query ($f: Boolean!) { me @include(if: $f) { id } }";
    assert_eq!(client.run(me, json!({ "f": false })).await.text, r#"{"data":{}}"#);
    let id = "query ($f: Boolean!) { me { id @include(if: $f) } organisation { ...o } } fragment o on Organisation { id @include(if: $f) }";
    assert_eq!(client.run(id, json!({ "f": false })).await.text, r#"{"data":{"me":{},"organisation":{}}}"#);
    let create = "mutation ($f: Boolean!) { createContact(input: {contact: {kind: COMPANY, name: \"yes\"}}) \
                  { contact @include(if: $f) { id } userErrors { code @include(if: $f) } } }";
    let made = client.run(create, json!({ "f": false })).await;
    assert_eq!(made.text, r#"{"data":{"createContact":{"userErrors":[]}}}"#);
    let empty = "mutation ($f: Boolean!) { createContact(input: {contact: {kind: COMPANY, name: \"\"}}) { contact @include(if: $f) { id } userErrors { code @include(if: $f) } } }";
    assert_eq!(
        client.run(empty, json!({ "f": false })).await.text,
        r#"{"data":{"createContact":{"userErrors":[{}]}}}"#
    );
    let nothing = "mutation ($f: Boolean!) { createContact(input: {contact: {kind: COMPANY, name: \"two\"}}) { contact @include(if: $f) { id } } }";
    assert_eq!(client.run(nothing, json!({ "f": false })).await.text, r#"{"data":{"createContact":{}}}"#);
    assert_eq!(total(&client).await, 2);
    let contact = client.create_contact(json!({ "name": "three" })).await;
    let node = "query ($id: ID!, $f: Boolean!) { node(id: $id) { ... on Product { name } } \
                nodes(ids: [$id]) { ... on Product { name } } \
                contact(id: $id) { name @include(if: $f) company { id } createdBy { ... @include(if: $f) { id } } } }";
    let answer = client.run(node, json!({ "id": contact["id"], "f": false })).await;
    assert_eq!(answer.text, r#"{"data":{"node":{},"nodes":[{}],"contact":{"company":null,"createdBy":{}}}}"#);
    // Behind an interface, keys have the order of what applies to the object.
    let several = "query ($id: ID!) { node(id: $id) { ... on Product { name } id ... on Contact { kind name } } \
                   node(id: $id) { ... on Contact { country } ... on Organisation { name } } \
                   nodes(ids: [$id]) { ... on Contact { createdBy { __typename } } id ... on Node { ... on Contact { name } } } }";
    let answer = client.run(several, json!({ "id": contact["id"] })).await;
    let id = contact["id"].as_str().unwrap();
    let expected = format!(
        r#"{{"data":{{"node":{{"id":"{id}","kind":"PERSON","name":"three","country":null}},"nodes":[{{"createdBy":{{"__typename":"User"}},"id":"{id}","name":"three"}}]}}}}"#
    );
    assert_eq!(answer.text.replace("COMPANY", "PERSON"), expected);
    let list = "query ($f: Boolean!) { contacts(first: 2) { nodes { id @include(if: $f) } edges { node { ...c @include(if: $f) } } \
                pageInfo { hasNextPage @include(if: $f) } } } fragment c on Contact { id }";
    let answer = client.run(list, json!({ "f": false })).await;
    let expected =
        r#"{"data":{"contacts":{"nodes":[{},{}],"edges":[{"node":{}},{"node":{}}],"pageInfo":{}}}}"#;
    assert_eq!(answer.text, expected);
    let schema = "query ($f: Boolean!) { __type(name: \"Contact\") { name @include(if: $f) } me { __typename @skip(if: $f) } }";
    assert_eq!(
        client.run(schema, json!({ "f": false })).await.text,
        r#"{"data":{"__type":{},"me":{"__typename":"User"}}}"#
    );
    // In several places, of which one has nothing left.
    let twice = "query ($f: Boolean!) { me { id @include(if: $f) } me { email } } ";
    let answer = client.run(twice, json!({ "f": false })).await;
    assert_eq!(answer.at("/data/me").as_object().unwrap().keys().collect::<Vec<_>>(), ["email"]);
}

#[tokio::test]
async fn a_failed_field_is_null_beside_its_neighbours() {
    let client = organisation().await;
    let staff = client.colleague(&["STAFF"]).await;
    let query = "{ a: contact(id: \"x\") { id } b: me { email } c: contacts(first: -1) { nodes { id } } d: webhookEndpoints { totalCount } \
                 e: nodes(ids: [\"x\"]) { id } f: contactsAggregate { count } __typename }";
    let answer = staff.run(query, json!({})).await;
    let places =
        ["a", "b", "c", "d", "e", "f", "__typename"].map(|key| answer.text.find(&format!("\"{key}\":")));
    assert!(places[0].is_some() && places.is_sorted(), "{}", answer.text);
    for failed in ["a", "c", "d", "e"] {
        assert_eq!(answer.at("/data")[failed], Value::Null, "{failed} {}", answer.text);
    }
    assert!(answer.at("/data/b/email").is_string());
    assert_eq!(answer.errors(), ["BAD_REQUEST id", "BAD_REQUEST first", "FORBIDDEN", "BAD_REQUEST ids"]);
    // A relation, and a field of an entity's own.
    let contact = client.create_contact(json!({ "name": "Ada" })).await;
    let query = "query ($id: ID!) { contact(id: $id) { a: name people(first: -1) { totalCount } b: name } }";
    let answer = client.run(query, json!({ "id": contact["id"] })).await;
    assert!(
        answer.text.starts_with(r#"{"errors":"#) || answer.text.contains(r#""people":null"#),
        "{}",
        answer.text
    );
    assert_eq!(answer.at("/data/contact"), &json!({ "a": "Ada", "people": null, "b": "Ada" }));
    // A mutation that has been committed keeps its answer.
    let mutation = "mutation { a: createContact(input: {contact: {kind: COMPANY, name: \"Ada\"}}) { contact { name } } \
                    b: deleteWebhookEndpoint(input: {id: \"x\", expectedRevision: 1}) { userErrors { code } } \
                    c: createContact(input: {contact: {kind: COMPANY, name: \"Ben\"}}) { contact { name } } }";
    let answer = staff.run(mutation, json!({})).await;
    assert_eq!(answer.at("/data/a/contact/name"), "Ada");
    assert_eq!(answer.at("/data/b"), &Value::Null);
    assert_eq!(answer.at("/data/c/contact/name"), "Ben");
    assert_eq!(answer.errors(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn only_the_chosen_operation_of_a_document_counts() {
    let client = organisation().await;
    let document = "query Q($v: Int!) { contacts(first: $v) { totalCount } } \
                    query R($v: String) { contacts(where: {name: {contains: $v}}) { totalCount } } \
                    mutation M { createContact(input: {contact: {kind: COMPANY, name: \"no\"}}) { contact { id } } }";
    let ask = async |name: Value| {
        let body = json!({ "query": document, "operationName": name, "variables": { "v": "a" } });
        client.send(&body.to_string()).await
    };
    assert_eq!(data(&ask(json!("R")).await), &json!({ "contacts": { "totalCount": 0 } }));
    refused(&ask(json!("Q")).await, &["BAD_REQUEST variables.v"]);
    for none in [json!(null), json!(""), json!("S")] {
        refused(&ask(none).await, &["BAD_REQUEST"]);
    }
    let one = json!({ "query": "{ me { __typename } }", "operationName": "" });
    assert_eq!(data(&client.send(&one.to_string()).await), &json!({ "me": { "__typename": "User" } }));
    assert_eq!(total(&client).await, 0);
}

#[tokio::test]
async fn literals_names_and_strings_of_a_document_are_checked() {
    let client = organisation().await;
    let contacts = |filter: &str| format!("{{ contacts(where: {filter}) {{ totalCount }} }}");
    refused(
        &client.run(&contacts("{kind: {eq: PERSON}, kind: {eq: COMPANY}}"), json!({})).await,
        &["BAD_REQUEST where"],
    );
    refused(
        &client.run(&contacts("{kind: {eq: \"PERSON\"}}"), json!({})).await,
        &["BAD_REQUEST where.kind.eq"],
    );
    refused(
        &client.run("query ($a: [Nope!] = [1]) { __typename }", json!({})).await,
        &["BAD_REQUEST", "BAD_REQUEST"],
    );
    refused(
        &client.run("query ($v: String) { contacts(first: $v) { totalCount } }", json!({})).await,
        &["BAD_REQUEST first"],
    );
    for name in ["\\uD83D\\uDE00 Bakery", "\\u{1F600} Bakery", "😀 Bakery"] {
        let create = format!(
            "mutation {{ createContact(input: {{contact: {{kind: COMPANY, name: \"{name}\"}}}}) {{ contact {{ name }} }} }}"
        );
        assert_eq!(
            client.run(&create, json!({})).await.ok("/data/createContact")["contact"]["name"],
            "😀 Bakery"
        );
    }
    let before = total(&client).await;
    let kind =
        "mutation { createContact(input: {contact: {kind: COMPANY, name: \"x\" kind}}) { contact { id } } }";
    refused(&client.run(kind, json!({})).await, &["BAD_REQUEST"]);
    let gone = "mutation { createContact(input: {contact: {kind: COMPANY, name: \"x\", customFields: {a: $gone}}}) { contact { id } } }";
    refused(&client.run(gone, json!({})).await, &["BAD_REQUEST input.contact.customFields"]);
    assert_eq!(total(&client).await, before);
    let null = "mutation ($v: [NewContactInput!] = [{kind: COMPANY, name: \"a\"}]) { createContacts(input: {contacts: $v}) { createdCount } }";
    refused(&client.run(null, json!({ "v": null })).await, &["BAD_REQUEST variables.v"]);
    assert_eq!(
        client.run("{ contacts(first: -0) { nodes { id } } }", json!({})).await.text,
        r#"{"data":{"contacts":{"nodes":[]}}}"#
    );
    let hint = client.run("{ contacts { nodes { nmae } } }", json!({})).await;
    assert_eq!(
        hint.at("/errors/0/message"),
        "Type `Contact` does not have a field `nmae`. Did you mean name?"
    );
}

#[tokio::test]
async fn a_limit_is_named_with_what_was_found() {
    let client = organisation().await;
    let roots: String = (0..51).map(|at| format!("a{at}: me {{ id }} ")).collect();
    let answer = client.run(&format!("{{ {roots} }}"), json!({})).await;
    refused(&answer, &["COST_EXCEEDED"]);
    let expected = json!({ "code": "COST_EXCEEDED", "limit": "ROOT_FIELDS", "most": 50, "found": 51 });
    assert_eq!(answer.at("/errors/0/extensions"), &expected);
    assert_eq!(answer.at("/errors/0/message"), "51 fields at the root; at most 50 are allowed.");
    let costly = "query ($n: Int) { contacts(first: 200) { nodes { people(first: 200) { nodes { people(first: $n) { nodes { id } } } } } } }";
    let answer = client.run(costly, json!({ "n": 200 })).await;
    assert_eq!(answer.at("/errors/0/extensions/limit"), "COMPLEXITY");
}

#[tokio::test]
async fn a_bomb_of_any_kind_is_refused_and_the_server_lives() {
    let client = organisation().await.anonymous();
    let wrapped = |at: usize| {
        format!("fragment f{at} on A {{ {} ...f{} {} }} ", "...{".repeat(63), at + 1, "}".repeat(63))
    };
    let unused: String = (0..95).map(wrapped).collect();
    let chain: String = (0..7500).map(|at| format!("fragment f{at} on A{{...f{}}}", at + 1)).collect();
    let shared: String = (0..50).map(|at| format!("query Q{at}($v: Int) {{ ...f }} ")).collect();
    let bombs = [
        format!("{{ me {{ id }} }} {unused} fragment f95 on A {{ id }}"),
        format!("{{me{{id}}}}{chain}"),
        format!("{shared} fragment f on Query {{ {} }}", "contacts(first: $v) { totalCount } ".repeat(1000)),
    ];
    for bomb in bombs {
        let body = json!({ "query": bomb }).to_string();
        // The longest is more than a client may send that is not logged in.
        let answer = if body.len() > 64 * 1024 {
            organisation().await.send(&body).await
        } else {
            client.send(&body).await
        };
        refused(&answer, &["COST_EXCEEDED"]);
    }
    let introspection =
        tests::hostile::requests().into_iter().filter(|request| request.name.starts_with("introspection"));
    for request in introspection {
        let answer = client.send(&request.body()).await;
        assert_eq!(answer.at("/errors/0/extensions/limit"), "INTROSPECTED_FIELDS", "{}", request.name);
    }
    let uses = "people(where: $w) { totalCount } ".repeat(600);
    let query = format!("query ($w: ContactFilter) {{ contacts {{ nodes {{ {uses} }} }} }}");
    let variables = json!({ "w": { "and": vec![json!({}); 12_000] } });
    let answer = client.run(&query, variables).await;
    refused(&answer, &["COST_EXCEEDED"]);
    assert_eq!(answer.at("/errors/0/extensions/limit"), "VARIABLE_NODES");
    let wide = json!({ "query": "{ me { id } }", "variables": { "unused": vec![0; 200_000] } });
    let answer = organisation().await.send(&wide.to_string()).await;
    assert_eq!(answer.at("/errors/0/extensions/limit"), "VARIABLE_NODES");
    assert_eq!(client.run("{ __typename }", json!({})).await.text, r#"{"data":{"__typename":"Query"}}"#);
}

#[test]
fn the_readme_has_every_limit_with_its_number() {
    let readme = include_str!("../../README.md");
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    for limit in request::LIMITS {
        let row = rows.iter().find(|row| row[1].split(", ").any(|name| name == limit.name));
        let row = row.unwrap_or_else(|| panic!("README does not have the limit {}", limit.name));
        let place = row[1].split(", ").position(|name| name == limit.name).unwrap();
        assert_eq!(row[2].split(", ").nth(place), Some(limit.most.to_string().as_str()), "{}", limit.name);
    }
}
