//! Contacts: what a front end does with them, and what it gets wrong.

mod full;
mod texts;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, organisation};

const UPDATE: &str = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { \
    contact { id name email notes revision createdAt updatedAt company { id } } userErrors { code message field } } }";
const DELETE: &str = "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { \
    contact { id revision deletedAt } userErrors { code message field } } }";
const RESTORE: &str = "mutation ($input: RestoreContactInput!) { restoreContact(input: $input) { \
    contact { id revision deletedAt } userErrors { code message field } } }";
const CREATE: &str = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
    contact { id } userErrors { code message field } } }";

async fn mutate(client: &Client, mutation: &str, input: Value) -> Answer {
    client.mutate(mutation, input).await
}

async fn company(client: &Client, name: &str) -> Value {
    client.create_contact(json!({ "kind": "COMPANY", "name": name })).await
}

async fn read(client: &Client, id: &Value) -> Value {
    let query =
        "query ($id: ID!) { contact(id: $id) { id name company { name } people { nodes { name } } } }";
    client.run(query, json!({ "id": id })).await.ok("/data/contact").clone()
}

#[tokio::test]
async fn a_new_contact_can_be_read_back() {
    let client = organisation().await;
    let input = json!({
        "kind": "PERSON", "name": " Maria Anders ", "notes": "Sales\nRepresentative",
        "emails": [{ "address": " maria@alfreds.example " }], "phones": [{ "number": "030-0074321" }],
        "addresses": [{ "country": "Germany" }],
    });
    let contact = client.create_contact(input).await;
    let query = "query ($id: ID!) { contact(id: $id) { kind name email phone country notes revision deletedAt \
                 createdBy { email } company { name } } }";
    let answer = client.run(query, json!({ "id": contact["id"] })).await;
    let expected = json!({
        "kind": "PERSON", "name": "Maria Anders", "email": "maria@alfreds.example", "phone": "030-0074321",
        "country": "Germany", "notes": "Sales\nRepresentative", "revision": 1, "deletedAt": null,
        "createdBy": { "email": client.log_in["user"]["email"] }, "company": null,
    });
    assert_eq!(*answer.ok("/data/contact"), expected);
}

#[tokio::test]
async fn a_person_and_its_company_see_each_other() {
    let client = organisation().await;
    let company = company(&client, "Alfreds").await;
    let maria = json!({ "kind": "PERSON", "name": "Maria", "companyId": company["id"] });
    let maria = client.create_contact(maria).await;
    assert_eq!(read(&client, &maria["id"]).await["company"], json!({ "name": "Alfreds" }));
    assert_eq!(read(&client, &company["id"]).await["people"]["nodes"], json!([{ "name": "Maria" }]));
}

#[tokio::test]
async fn each_company_has_its_own_page_of_people() {
    let client = organisation().await;
    for (name, people) in [("A", 3), ("B", 1), ("C", 0)] {
        let company = company(&client, name).await;
        for number in 0..people {
            let person =
                json!({ "kind": "PERSON", "name": format!("{name}{number}"), "companyId": company["id"] });
            client.create_contact(person).await;
        }
    }
    let query = "{ contacts(orderBy: [{ name: ASC }]) { nodes { name \
                 people(first: 2, orderBy: [{ name: ASC }]) { nodes { name } pageInfo { hasNextPage } } \
                 last: people(last: 1, orderBy: [{ name: ASC }]) { nodes { name } } } } }";
    let answer = client.run(query, json!({})).await;
    let nodes = answer.ok("/data/contacts")["nodes"].as_array().unwrap().clone();
    let of = |name: &str| nodes.iter().find(|node| node["name"] == name).unwrap().clone();
    assert_eq!(
        of("A")["people"],
        json!({ "nodes": [{ "name": "A0" }, { "name": "A1" }], "pageInfo": { "hasNextPage": true } })
    );
    assert_eq!(of("A")["last"], json!({ "nodes": [{ "name": "A2" }] }));
    assert_eq!(
        of("B")["people"],
        json!({ "nodes": [{ "name": "B0" }], "pageInfo": { "hasNextPage": false } })
    );
    assert_eq!(of("C")["people"], json!({ "nodes": [], "pageInfo": { "hasNextPage": false } }));
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_nothing_else() {
    let client = organisation().await;
    let emails = json!([{ "address": "maria@a.example" }]);
    let input = json!({ "kind": "PERSON", "name": "Maria", "emails": emails, "notes": "x" });
    let contact = client.create_contact(input).await;
    let input = json!({ "id": contact["id"], "expectedRevision": 1, "name": "Mary", "emails": null });
    let answer = mutate(&client, UPDATE, input).await;
    let changed = &answer.ok("/data/updateContact")["contact"];
    assert_eq!(
        (&changed["name"], &changed["email"], &changed["notes"]),
        (&json!("Mary"), &json!(null), &json!("x"))
    );
    assert_eq!(changed["revision"], 2);
    assert!(changed["updatedAt"].as_str() > changed["createdAt"].as_str());
}

#[tokio::test]
async fn a_stale_update_changes_nothing_and_answers_the_current_row() {
    let client = organisation().await;
    let contact = company(&client, "Old").await;
    let change = |name: &str| json!({ "id": contact["id"], "expectedRevision": 1, "name": name });
    mutate(&client, UPDATE, change("First")).await.ok("/data/updateContact");
    let answer = mutate(&client, UPDATE, change("Second")).await;
    assert_eq!(answer.user_errors("/data/updateContact"), ["CONFLICT expectedRevision"]);
    assert_eq!(answer.at("/data/updateContact/contact/name"), "First");
    assert_eq!(read(&client, &contact["id"]).await["name"], "First");
}

#[tokio::test]
async fn of_two_updates_at_once_one_wins() {
    let client = organisation().await;
    let contact = company(&client, "Old").await;
    let change = |name: &str| json!({ "id": contact["id"], "expectedRevision": 1, "name": name });
    let (one, two) =
        futures_util::join!(mutate(&client, UPDATE, change("1")), mutate(&client, UPDATE, change("2")));
    let mut errors =
        [one.user_errors("/data/updateContact"), two.user_errors("/data/updateContact")].concat();
    errors.sort();
    assert_eq!(errors, ["CONFLICT expectedRevision"]);
}

#[tokio::test]
async fn a_deleted_contact_is_hidden_everywhere_until_it_is_restored() {
    let client = organisation().await;
    let company = company(&client, "Alfreds").await;
    let maria = json!({ "kind": "PERSON", "name": "Maria", "companyId": company["id"] });
    let maria = client.create_contact(maria).await;
    let target = |revision: i32| json!({ "id": company["id"], "expectedRevision": revision });

    assert_eq!(
        mutate(&client, DELETE, target(7)).await.user_errors("/data/deleteContact"),
        ["CONFLICT expectedRevision"]
    );
    mutate(&client, DELETE, target(1)).await.ok("/data/deleteContact");
    assert_eq!(read(&client, &company["id"]).await, Value::Null);
    assert_eq!(read(&client, &maria["id"]).await["company"], Value::Null);
    let list = client.run("{ contacts { nodes { name } } }", json!({})).await;
    assert_eq!(list.ok("/data/contacts")["nodes"], json!([{ "name": "Maria" }]));
    let node = client.run(
        "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }",
        json!({ "id": company["id"] }),
    );
    assert_eq!(node.await.body["data"], json!({ "node": null, "nodes": [null] }));

    let edit = json!({ "id": company["id"], "expectedRevision": 2, "name": "New" });
    assert_eq!(mutate(&client, UPDATE, edit).await.user_errors("/data/updateContact"), ["NOT_FOUND id"]);
    let join = json!({ "kind": "PERSON", "name": "Late", "companyId": company["id"] });
    assert_eq!(
        mutate(&client, CREATE, join).await.user_errors("/data/createContact"),
        ["NOT_FOUND contact.companyId"]
    );
    assert_eq!(mutate(&client, DELETE, target(2)).await.user_errors("/data/deleteContact"), ["NOT_FOUND id"]);

    assert_eq!(
        mutate(&client, RESTORE, target(1)).await.user_errors("/data/restoreContact"),
        ["CONFLICT expectedRevision"]
    );
    mutate(&client, RESTORE, target(2)).await.ok("/data/restoreContact");
    assert_eq!(read(&client, &maria["id"]).await["company"], json!({ "name": "Alfreds" }));
    assert_eq!(
        mutate(&client, RESTORE, target(3)).await.user_errors("/data/restoreContact"),
        ["INVALID_TRANSITION id"]
    );
}

#[tokio::test]
async fn anything_is_found_by_its_id() {
    let client = organisation().await;
    let contact = company(&client, "Alfreds").await;
    let ids = json!([client.log_in["user"]["id"], contact["id"], client.log_in["organisation"]["id"]]);
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Contact { name } } }";
    let answer = client.run(query, json!({ "ids": ids })).await;
    let kinds: Vec<_> =
        answer.ok("/data/nodes").as_array().unwrap().iter().map(|node| &node["__typename"]).collect();
    assert_eq!(kinds, ["User", "Contact", "Organisation"]);
    assert_eq!(answer.at("/data/nodes/1/name"), "Alfreds");
}

#[tokio::test]
async fn everything_wrong_with_an_input_is_said_at_once() {
    let client = organisation().await;
    let company = company(&client, "Alfreds").await;
    let person = client.create_contact(json!({ "kind": "PERSON", "name": "Maria" })).await;
    let cases = [
        (
            json!({ "kind": "PERSON", "name": " ", "emails": [{ "address": "x" }], "phones": [{ "number": "1".repeat(51) }] }),
            vec![
                "INVALID contact.name",
                "INVALID contact.emails.0.address",
                "INVALID contact.phones.0.number",
            ],
        ),
        (
            json!({ "kind": "PERSON", "name": "A\0B", "notes": "\0" }),
            vec!["INVALID contact.name", "INVALID contact.notes"],
        ),
        (json!({ "kind": "PERSON", "name": "x".repeat(256) }), vec!["INVALID contact.name"]),
        (
            json!({ "kind": "PERSON", "name": "x", "companyId": "nonsense" }),
            vec!["INVALID contact.companyId"],
        ),
        (
            json!({ "kind": "PERSON", "name": "x", "companyId": client.log_in["user"]["id"] }),
            vec!["INVALID contact.companyId"],
        ),
        (
            json!({ "kind": "PERSON", "name": "x", "companyId": person["id"] }),
            vec!["NOT_FOUND contact.companyId"],
        ),
        (
            json!({ "kind": "COMPANY", "name": "x", "companyId": company["id"] }),
            vec!["INVALID contact.companyId"],
        ),
        (json!({ "kind": "COMPANY", "name": "x", "idempotencyKey": "\0" }), vec!["INVALID idempotencyKey"]),
    ];
    for (input, expected) in cases {
        let answer = mutate(&client, CREATE, input.clone()).await;
        assert_eq!(answer.user_errors("/data/createContact"), expected, "{input}");
        assert_eq!(answer.at("/data/createContact/contact"), &Value::Null);
    }
    let list = client.run("{ contacts { nodes { name } } }", json!({})).await;
    assert_eq!(list.ok("/data/contacts")["nodes"].as_array().unwrap().len(), 2, "nothing is half-written");
}

#[tokio::test]
async fn a_company_cannot_be_given_a_company() {
    let client = organisation().await;
    let (one, two) = (company(&client, "One").await, company(&client, "Two").await);
    let input = json!({ "id": one["id"], "expectedRevision": 1, "companyId": two["id"] });
    assert_eq!(
        mutate(&client, UPDATE, input).await.user_errors("/data/updateContact"),
        ["INVALID companyId"]
    );
}

#[tokio::test]
async fn what_cannot_be_meant_is_a_bad_request_that_names_the_argument() {
    let client = organisation().await;
    let unknown = "contact_01h455vb4pex5vsknk084sn02q";
    let cases = [
        ("{ contacts(first: 201) { nodes { id } } }".to_owned(), "BAD_REQUEST first"),
        ("{ contacts(first: -1) { nodes { id } } }".to_owned(), "BAD_REQUEST first"),
        ("{ contacts(last: 2147483647) { nodes { id } } }".to_owned(), "BAD_REQUEST last"),
        ("{ contacts(first: 1, last: 1) { nodes { id } } }".to_owned(), "BAD_REQUEST last"),
        ("{ contacts(after: \"x\") { nodes { id } } }".to_owned(), "BAD_REQUEST after"),
        ("{ contacts(before: \"bm9uc2Vuc2U\") { nodes { id } } }".to_owned(), "BAD_REQUEST before"),
        // ["-createdAt-id",[{"d":"-5000-01-01T00:00:00Z"},{"u":"00000000-0000-0000-0000-000000000000"}]]
        (
            "{ contacts(after: \"WyItY3JlYXRlZEF0LWlkIixbeyJkIjoiLTUwMDAtMDEtMDFUMDA6MDA6MDBaIn0seyJ1IjoiMDAwMDAwMDAt\
             MDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIn1dXQ\") { nodes { id } } }"
                .to_owned(),
            "BAD_REQUEST after",
        ),
        (format!("{{ {} }}", (0..51).map(|at| format!("a{at}: me {{ id }} ")).collect::<String>()), "COST_EXCEEDED"),
        ("{ ...f } fragment f on Query { ...g ...g } fragment g on Query { ...f }".to_owned(), "BAD_REQUEST"),
        (format!("{{ nodes(ids: [{}]) {{ ... on Contact {{ people(first: 200) {{ nodes {{ id name }} }} }} }} }}", format!("\"{unknown}\",").repeat(100)), "COST_EXCEEDED"),
        (format!("{{ contacts(after: \"{}\") {{ nodes {{ id }} }} }}", "A".repeat(70_000)), "BAD_REQUEST after"),
        ("{ contact(id: \"x\") { id } }".to_owned(), "BAD_REQUEST id"),
        ("{ contact(id: \"\\u0000\") { id } }".to_owned(), "BAD_REQUEST id"),
        (format!("{{ user(id: \"{unknown}\") {{ id }} }}"), "BAD_REQUEST id"),
        ("{ node(id: \"thing_01h455vb4pex5vsknk084sn02q\") { id } }".to_owned(), "BAD_REQUEST id"),
        (format!("{{ nodes(ids: [{}]) {{ id }} }}", format!("\"{unknown}\",").repeat(101)), "BAD_REQUEST ids"),
        ("{ contacts(orderBy: [{ name: ASC, email: ASC }]) { nodes { id } } }".to_owned(), "BAD_REQUEST orderBy.0"),
        ("{ contacts(orderBy: [{}]) { nodes { id } } }".to_owned(), "BAD_REQUEST orderBy.0"),
        (format!("{{ contacts(orderBy: [{}]) {{ nodes {{ id }} }} }}", "{ name: ASC },".repeat(6)), "BAD_REQUEST orderBy"),
        ("{ contacts(first: 99999999999) { nodes { id } } }".to_owned(), "BAD_REQUEST first"),
        ("{ contacts { nodes { nothing } } }".to_owned(), "BAD_REQUEST"),
        ("{ contacts { nodes".to_owned(), "BAD_REQUEST"),
        (format!("{{ contact(id: \"{unknown}\") {{ {} id {} }} }}", "company {".repeat(30), "}".repeat(30)), "COST_EXCEEDED"),
        ("{ contacts(first: 200) { nodes { people(first: 200) { nodes { people(first: 200) { nodes { id } } } } } } }".to_owned(), "COST_EXCEEDED"),
    ];
    for (query, expected) in cases {
        let answer = client.run(&query, json!({})).await;
        assert_eq!(answer.errors(), [expected], "{query:.200} {}", answer.body);
    }
}

#[tokio::test]
async fn a_name_cannot_be_emptied() {
    let client = organisation().await;
    let contact = company(&client, "Alfreds").await;
    let input = json!({ "id": contact["id"], "expectedRevision": 1, "name": null });
    assert_eq!(mutate(&client, UPDATE, input).await.user_errors("/data/updateContact"), ["INVALID name"]);
}

#[tokio::test]
async fn what_was_sent_is_not_echoed_without_bound() {
    let client = organisation().await;
    let answer =
        client.run("query ($id: ID!) { contact(id: $id) { id } }", json!({ "id": "x".repeat(30_000) })).await;
    assert_eq!(answer.errors(), ["BAD_REQUEST id"]);
    assert!(answer.body.to_string().len() < 1000, "{}", answer.body);
    let fields: String = (0..1000).map(|at| format!("nothing{at} ")).collect();
    let answer = client.run(&format!("{{ me {{ {fields} }} }}"), json!({})).await;
    assert_eq!(answer.errors().len(), 100);
}

#[tokio::test]
async fn many_nodes_of_one_type_wait_for_no_second_connection() {
    let client = organisation().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(company(&client, &format!("C{number}")).await["id"].clone());
    }
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let answer = client.run(query, json!({ "ids": ids })).await;
    let found: Vec<_> =
        answer.ok("/data/nodes").as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
    assert_eq!(found, ids);
}

#[tokio::test]
async fn a_failed_field_leaves_its_neighbours_in_their_order() {
    let client = organisation().await;
    company(&client, "Alfreds").await;
    let query = "{ b: contacts { pageInfo { hasNextPage } nodes { name } } a: contacts(first: -1) { nodes { id } } me { email } }";
    let answer = client.run(query, json!({})).await;
    assert_eq!(answer.status, 200);
    let expected = json!({ "pageInfo": { "hasNextPage": false }, "nodes": [{ "name": "Alfreds" }] });
    assert_eq!((answer.at("/data/a"), answer.at("/data/b")), (&Value::Null, &expected));
    assert_eq!(answer.errors(), ["BAD_REQUEST first"]);
}
