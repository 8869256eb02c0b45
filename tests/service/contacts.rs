//! Contacts: what a front end does with them.

use serde_json::json;

use crate::harness::organisation;

#[tokio::test]
async fn a_new_contact_can_be_read_back() {
    let client = organisation().await;
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": "Alfreds Futterkiste" })).await;
    let answer = client.run("query ($id: ID!) { contact(id: $id) { name } }", json!({ "id": contact["id"] })).await;
    assert_eq!(*answer.ok("/data/contact"), json!({ "name": "Alfreds Futterkiste" }));
}
