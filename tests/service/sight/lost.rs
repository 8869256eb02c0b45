//! Rows that somebody has seen and does not see any more.

use serde_json::{Value, json};
use tenancy::Permission;

use crate::harness::{Client, organisation, server, superuser, uuid};

/// An admin, and somebody who sees only the contacts that they have added.
async fn admin_and_owner() -> (Client, Client) {
    let admin = organisation().await;
    let owner = admin.granted(&[Permission::ReadOwnContacts, Permission::WriteContacts]).await;
    (admin, owner)
}

/// The contacts of an organisation are the admin's from now on, past triggers.
async fn taken_over(admin: &Client) {
    let (organisation, user) = (admin.organisation_id(), admin.user_id());
    let sql = format!(
        "SET session_replication_role = replica;
         UPDATE contacts SET created_by = '{user}' WHERE organisation_id = '{organisation}'"
    );
    superuser(server().addresses.database()).await.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn a_repeated_creation_whose_row_is_no_longer_seen_answers_null_without_an_error() {
    let (admin, owner) = admin_and_owner().await;
    let one = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } userErrors { code } } }";
    let many = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { \
                createdCount contacts { id } rowErrors { code } userErrors { code } } }";
    let (single, several) = (
        json!({ "name": "Once", "idempotencyKey": "one" }),
        json!({ "contacts": [{ "name": "Ada" }, { "name": "Ben" }], "idempotencyKey": "many" }),
    );
    let first = owner.mutate(one, single.clone()).await;
    assert!(first.ok("/data/createContact")["contact"]["id"].is_string());
    assert_eq!(owner.mutate(one, single.clone()).await.body, first.body, "while it is seen");
    owner.mutate(many, several.clone()).await.ok("/data/createContacts");
    taken_over(&admin).await;
    let again = owner.mutate(one, single).await;
    assert_eq!(*again.ok("/data/createContact"), json!({ "contact": null, "userErrors": [] }));
    let again = owner.mutate(many, several).await;
    let expected = json!({ "createdCount": 2, "contacts": [], "rowErrors": [], "userErrors": [] });
    assert_eq!(*again.ok("/data/createContacts"), expected);
}

#[tokio::test]
async fn a_cursor_of_an_unseen_row_opens_what_a_cursor_of_a_row_that_is_gone_opens() {
    let (admin, owner) = admin_and_owner().await;
    owner.create_contact(json!({ "name": "Ada" })).await;
    let hidden = admin.create_contact(json!({ "name": "Ben" })).await;
    owner.create_contact(json!({ "name": "Cem" })).await;
    let order = "orderBy: [{ name: ASC }]";
    let answer = admin
        .run(&format!("{{ contacts({order}) {{ edges {{ cursor node {{ id }} }} }} }}"), json!({}))
        .await;
    let edges = answer.ok("/data/contacts/edges").as_array().unwrap().clone();
    let cursor = edges.iter().find(|edge| edge["node"]["id"] == hidden["id"]).unwrap()["cursor"].clone();
    let query = format!(
        "query ($cursor: String) {{
             after: contacts({order}, after: $cursor, first: 5) {{ nodes {{ name }} totalCount pageInfo {{ hasNextPage hasPreviousPage }} }}
             before: contacts({order}, before: $cursor, last: 5) {{ nodes {{ name }} totalCount pageInfo {{ hasNextPage hasPreviousPage }} }} }}"
    );
    let opened = owner.run(&query, json!({ "cursor": cursor })).await;
    let names = |page: &str| opened.ok("/data")[page]["nodes"].clone();
    assert_eq!([names("after"), names("before")], [json!([{ "name": "Cem" }]), json!([{ "name": "Ada" }])]);
    let gone = format!("DELETE FROM contacts WHERE id = '{}'", uuid(hidden["id"].as_str().unwrap()));
    let behind = superuser(server().addresses.database()).await;
    behind.batch_execute(&format!("SET session_replication_role = replica; {gone}")).await.unwrap();
    assert_eq!(owner.run(&query, json!({ "cursor": cursor })).await.text, opened.text);
}

#[tokio::test]
async fn who_added_a_contact_is_no_way_to_find_those_of_others() {
    let (admin, owner) = admin_and_owner().await;
    owner.create_contact(json!({ "name": "Own" })).await;
    admin.create_contact(json!({ "name": "Foreign" })).await;
    let query = "query ($id: ID!) { contacts(where: { createdBy: { id: { eq: $id } } }) { totalCount } }";
    for user in [&admin, &owner] {
        let id: &Value = &user.log_in["user"]["id"];
        assert_eq!(owner.run(query, json!({ "id": id })).await.errors(), ["FORBIDDEN"]);
        assert_eq!(admin.run(query, json!({ "id": id })).await.ok("/data/contacts")["totalCount"], 1);
    }
}
