//! How the service is asked, and the floor with the same words.

use serde_json::{Value, json};

use crate::{
    case::{Wish, company_name},
    reach::Reach,
    type_id::{self, Contact},
};

const BY_ID: &str = "query($id: ID!) { contact(id: $id) { id name email phone country } }";

const NEWEST: &str =
    "{ contacts(first: 20) { nodes { id name email createdAt company { id name email } } } }";

const FILTERED: &str = "query($where: ContactFilter) { \
    contacts(first: 20, where: $where, orderBy: [{ name: ASC }]) { totalCount nodes { id name country } } }";

const GROUPED: &str = r#"{ contactsAggregate(
    groupBy: { country: true, createdAt: { bucket: MONTH, zone: "Europe/Vienna" } }
    orderBy: [{ key: { country: ASC } }, { key: { createdAt: ASC } }]
    first: 200
) { key { country createdAt } count } }"#;

const NESTED: &str = "{ contacts(first: 10, where: { kind: { eq: COMPANY } }, orderBy: [{ name: ASC }]) { \
    nodes { id name people(first: 5, orderBy: [{ createdAt: DESC }]) { \
    nodes { id name email createdAt } } } } }";

const CREATE: &str = "mutation($input: CreateContactInput!) { createContact(input: $input) { \
    contact { id name email revision } userErrors { code message field } } }";

/// The GraphQL request.
pub(crate) fn body(wish: Wish) -> String {
    match wish {
        Wish::Contact(id) => request(BY_ID, json!({ "id": type_id::encode::<Contact>(id).to_string() })),
        Wish::Newest => request(NEWEST, json!({})),
        Wish::Persons(country) => {
            let filter = json!({ "country": { "eq": country }, "kind": { "eq": "PERSON" } });
            request(FILTERED, json!({ "where": filter }))
        }
        Wish::Counts => request(GROUPED, json!({})),
        Wish::Companies => request(NESTED, json!({})),
        Wish::NewCompany(number) => request(CREATE, json!({ "input": { "contact": company(number) } })),
    }
}

/// A document with its variables, as HTTP carries them.
pub(crate) fn request(document: &str, variables: Value) -> String {
    let mut body = json!({ "query": document });
    if let Some(fields) = body.as_object_mut() {
        fields.insert("variables".into(), variables);
    }
    body.to_string()
}

/// The fields of a new company, in every server's spelling.
pub(crate) fn company(number: u32) -> Value {
    let mut fields = json!({ "kind": "COMPANY", "name": company_name(number) });
    let reach = Reach::new(&format!("office@made{number}.example"), "+49 30 123456", "DE");
    if let (Some(fields), Value::Object(reach)) = (fields.as_object_mut(), json!(reach)) {
        fields.extend(reach);
    }
    fields
}
