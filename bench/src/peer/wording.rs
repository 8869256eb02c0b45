//! How PostGraphile is asked for the same: aliases give its fields the service's names.
//!
//! What the service adds by itself is said here: not what is deleted, and after the order asked
//! for the order of ids. One contact and a contact's company may be deleted ones, which spares
//! PostGraphile a condition.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    case::Wish,
    wording::{company, request},
};

const BY_ID: &str = "query($organisation: UUID!, $id: UUID!) { \
    contact: contactByOrganisationIdAndRowId(organisationId: $organisation, rowId: $id) { \
    id: rowId name email phone country } }";

const NEWEST: &str = "{ contacts: allContacts(first: 20, filter: { deletedAt: { isNull: true } }, \
    orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) { nodes { id: rowId name email createdAt \
    company: contactByOrganisationIdAndCompanyId { id: rowId name email } } } }";

const FILTERED: &str = "query($where: ContactFilter) { \
    contacts: allContacts(first: 20, filter: $where, orderBy: [NAME_ASC, ROW_ID_ASC]) { \
    totalCount nodes { id: rowId name country } } }";

const GROUPED: &str = "{ contacts: allContacts(filter: { deletedAt: { isNull: true } }) { \
    groups: groupedAggregates(groupBy: [COUNTRY, CREATED_AT_TRUNCATED_TO_MONTH]) { \
    keys count { rows: rowId } } } }";

const NESTED: &str = r#"{ contacts: allContacts(first: 10
    filter: { kind: { equalTo: "COMPANY" }, deletedAt: { isNull: true } }
    orderBy: [NAME_ASC, ROW_ID_ASC]
) { nodes { id: rowId name people: contactsByOrganisationIdAndCompanyId(first: 5
    filter: { deletedAt: { isNull: true } }
    orderBy: [CREATED_AT_DESC, ROW_ID_DESC]
) { nodes { id: rowId name email createdAt } } } } }"#;

const CREATE: &str = "mutation($input: CreateContactInput!) { createContact(input: $input) { \
    contact { id: rowId name email revision } } }";

/// The GraphQL request of a user of the organisation.
pub(crate) fn body(wish: Wish, organisation: Uuid) -> String {
    match wish {
        Wish::Contact(id) => request(BY_ID, json!({ "organisation": organisation, "id": id })),
        Wish::Newest => request(NEWEST, json!({})),
        Wish::Persons(country) => {
            let filter = json!({
                "country": { "equalTo": country },
                "kind": { "equalTo": "PERSON" },
                "deletedAt": { "isNull": true },
            });
            request(FILTERED, json!({ "where": filter }))
        }
        Wish::Counts => request(GROUPED, json!({})),
        Wish::Companies => request(NESTED, json!({})),
        Wish::NewCompany(number) => {
            let mut contact = company(number);
            // Neither PostGraphile nor the table makes ids.
            if let Some(fields) = contact.as_object_mut() {
                fields.insert("rowId".into(), Value::String(Uuid::now_v7().to_string()));
            }
            request(CREATE, json!({ "input": { "contact": contact } }))
        }
    }
}
