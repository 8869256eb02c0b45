//! Texts as people type them: in two encodings, with nothing to see, in capitals.

use serde_json::{Value, json};

use crate::harness::{Client, organisation};

/// The letter and its dots apart, as some keyboards type it.
const APART: &str = "Zoe\u{308}";

async fn names(client: &Client, filter: Value) -> Vec<String> {
    let query = "query ($where: ContactFilter) { \
                 contacts(where: $where, orderBy: [{ name: ASC }]) { nodes { name } } }";
    let answer = client.run(query, json!({ "where": filter })).await;
    let nodes = answer.ok("/data/contacts")["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_text_is_the_same_in_both_encodings() {
    let client = organisation().await;
    let made = client.create_contact(json!({ "name": APART, "customFields": { APART: APART } })).await;
    assert_eq!(made["name"], "Zoë");
    let literal = format!(
        "mutation {{ createContact(input: {{ contact: {{ kind: COMPANY, name: \"{APART} 2\" }} }}) {{ contact {{ name }} }} }}"
    );
    let answer = client.run(&literal, json!({})).await;
    assert_eq!(answer.at("/data/createContact/contact/name"), "Zoë 2");
    for name in ["Zoë", APART] {
        assert_eq!(names(&client, json!({ "name": { "eq": name } })).await, ["Zoë"]);
        assert_eq!(names(&client, json!({ "name": { "in": [name] } })).await, ["Zoë"]);
        assert_eq!(names(&client, json!({ "name": { "startsWith": name } })).await, ["Zoë", "Zoë 2"]);
        assert_eq!(names(&client, json!({ "customFields": { "contains": { name: name } } })).await, ["Zoë"]);
    }
    let filter = json!({ "name": { "eq": APART } }).to_string();
    let url = url::Url::parse_with_params(
        &format!("{}/export/contacts.csv", client.url),
        [("where", filter.as_str()), ("columns", "name")],
    );
    let request = crate::harness::http().get(url.unwrap()).bearer_auth(client.access_token.as_ref().unwrap());
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "name\nZoë\n");
}

#[tokio::test]
async fn what_nobody_sees_is_empty() {
    let client = organisation().await;
    let create = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                  contact { id tags notes } userErrors { code field message } } }";
    for nothing in ["\u{200b}", "\u{2060}\u{feff} ", "\u{ad}", "\u{3164}", "\u{202e}"] {
        let answer = client.mutate(create, json!({ "name": nothing })).await;
        assert_eq!(answer.user_errors("/data/createContact"), ["INVALID contact.name"], "{nothing:?}");
        let email = json!({ "name": "Ada", "emails": [{ "address": nothing }] });
        let answer = client.mutate(create, email).await;
        assert_eq!(
            answer.user_errors("/data/createContact"),
            ["INVALID contact.emails.0.address"],
            "{nothing:?}"
        );
        let made =
            client.create_contact(json!({ "name": "Ada", "tags": [nothing, "a"], "notes": nothing })).await;
        let node = client
            .run("query ($id: ID!) { contact(id: $id) { tags notes } }", json!({ "id": made["id"] }))
            .await;
        assert_eq!(node.at("/data/contact"), &json!({ "tags": ["a"], "notes": null }));
    }
}

#[tokio::test]
async fn patterns_and_addresses_compare_without_case() {
    let client = organisation().await;
    client.create_contact(json!({ "name": "ÄRGER", "emails": [{ "address": "Ann.Lee@Example.org" }] })).await;
    client.create_contact(json!({ "name": "ärmel", "emails": [{ "address": "ben@example.org" }] })).await;
    for (filter, expected) in [
        (json!({ "name": { "startsWith": "är" } }), vec!["ÄRGER", "ärmel"]),
        (json!({ "name": { "contains": "RG" } }), vec!["ÄRGER"]),
        (json!({ "name": { "endsWith": "mEl" } }), vec!["ärmel"]),
        (json!({ "name": { "eqIgnoreCase": "Ärger" } }), vec!["ÄRGER"]),
        (json!({ "name": { "eqIgnoreCase": "Ärge" } }), vec![]),
        (json!({ "name": { "eqIgnoreCase": "%" } }), vec![]),
        (json!({ "name": { "eq": "ärger" } }), vec![]),
        (json!({ "email": { "eq": "ann.lee@example.ORG" } }), vec!["ÄRGER"]),
        (json!({ "email": { "in": ["ANN.LEE@example.org", "BEN@EXAMPLE.ORG"] } }), vec!["ÄRGER", "ärmel"]),
        (json!({ "email": { "ne": "ANN.LEE@example.org" } }), vec!["ärmel"]),
        (json!({ "email": { "startsWith": "ANN" } }), vec!["ÄRGER"]),
        (json!({ "emails": { "some": { "address": { "eq": "BEN@example.org" } } } }), vec!["ärmel"]),
        (json!({ "emails": { "none": { "address": { "in": ["BEN@example.org"] } } } }), vec!["ÄRGER"]),
        (json!({ "emails": { "some": { "label": { "isNull": false } } } }), vec![]),
        (json!({ "emails": { "some": {}, "isEmpty": false } }), vec!["ÄRGER", "ärmel"]),
    ] {
        assert_eq!(names(&client, filter.clone()).await, expected, "{filter}");
    }
    // They are kept as they were written.
    let emails = "{ contacts(where: { name: { eq: \"ÄRGER\" } }) { nodes { email } } }";
    let answer = client.run(emails, json!({})).await;
    assert_eq!(answer.at("/data/contacts/nodes/0/email"), "Ann.Lee@Example.org");
}

#[tokio::test]
async fn a_change_that_changes_nothing_keeps_the_revision_and_tells_nobody() {
    let client = organisation().await;
    let contact = client
        .create_contact(json!({ "name": "Ada", "tags": ["a"], "notes": "x", "customFields": { "a": 1 } }))
        .await;
    let update = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { \
                  contact { revision notes updatedAt } userErrors { code field message } } }";
    let input = |revision: i32, more: Value| {
        let mut input = json!({ "id": contact["id"], "expectedRevision": revision });
        more.as_object().unwrap().iter().for_each(|(field, value)| input[field] = value.clone());
        input
    };
    let same =
        json!({ "name": "Ada", "tags": ["a"], "notes": "x", "customFields": { "a": 1 }, "birthday": null });
    for same in [same, json!({})] {
        let answer = client.mutate(update, input(1, same)).await;
        assert_eq!(answer.ok("/data/updateContact")["contact"]["revision"], 1, "{}", answer.body);
    }
    let answer = client.mutate(update, input(1, json!({ "name": "Ada", "notes": null }))).await;
    let changed = answer.ok("/data/updateContact")["contact"].clone();
    assert_eq!((&changed["revision"], &changed["notes"]), (&json!(2), &Value::Null));
    let stale = client.mutate(update, input(1, json!({ "name": "Ada" }))).await;
    assert_eq!(stale.user_errors("/data/updateContact"), ["CONFLICT expectedRevision"]);
    let database = crate::harness::superuser(crate::harness::server().addresses.database()).await;
    let events =
        "SELECT count(*) FROM events WHERE organisation_id = $1::text::uuid AND kind = 'contact.updated'";
    let row = database.query_one(events, &[&client.organisation_id().to_string()]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_person_whose_company_is_deleted_can_be_saved_again() {
    let client = organisation().await;
    let [company, other] = [
        client.create_contact(json!({ "kind": "COMPANY", "name": "Acme" })).await,
        client.create_contact(json!({ "kind": "COMPANY", "name": "Gone" })).await,
    ];
    let person = json!({ "kind": "PERSON", "name": "Ada", "companyId": company["id"] });
    let person = client.create_contact(person).await;
    let delete =
        "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { userErrors { code } } }";
    for contact in [&company, &other] {
        client
            .mutate(delete, json!({ "id": contact["id"], "expectedRevision": 1 }))
            .await
            .ok("/data/deleteContact");
    }
    let update = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { \
                  contact { name } userErrors { code field message } } }";
    let input = |company: &Value, name: &str, revision: i32| json!({ "id": person["id"], "expectedRevision": revision, "name": name, "companyId": company["id"] });
    let saved = client.mutate(update, input(&company, "Ada L.", 1)).await;
    assert_eq!(saved.ok("/data/updateContact")["contact"]["name"], "Ada L.");
    let refused = client.mutate(update, input(&other, "Ada", 2)).await;
    assert_eq!(refused.user_errors("/data/updateContact"), ["NOT_FOUND companyId"]);
}
