//! Contacts in full: what a contact has several of, its birthday, its tags, its company.

use serde_json::{Value, json};

use super::{CREATE, DELETE, RESTORE, UPDATE, company, mutate};
use crate::harness::{Client, organisation};

const FULL: &str = "id kind name email phone city country birthday tags customFields revision \
    emails { address label } phones { number label } \
    addresses { street postalCode city region country label }";

/// A contact as its own query answers it, which is as the lists answer it too.
async fn full(client: &Client, id: &Value) -> Value {
    let query = format!(
        "query ($id: ID!) {{ contact(id: $id) {{ {FULL} }} contacts(where: {{ id: {{ eq: $id }} }}) {{ nodes {{ {FULL} }} }} }}"
    );
    let answer = client.run(&query, json!({ "id": id })).await;
    let contact = answer.ok("/data/contact").clone();
    assert_eq!(*answer.at("/data/contacts/nodes"), json!([contact]));
    contact
}

/// What is wrong with a new contact that has this and a name, and with one that is changed to it.
async fn refused(client: &Client, given: Value) -> Vec<String> {
    let contact = client.create_contact(json!({ "name": "Before" })).await;
    let (mut new, mut change) = (given.clone(), given);
    new["name"] = json!("New");
    change["id"] = contact["id"].clone();
    change["expectedRevision"] = json!(1);
    let created = mutate(client, CREATE, new).await.user_errors("/data/createContact");
    let created: Vec<_> = created.into_iter().map(|error| error.replace(" contact.", " ")).collect();
    let updated = mutate(client, UPDATE, change).await.user_errors("/data/updateContact");
    assert_eq!(created, updated, "left: a new one, right: a changed one");
    assert_eq!(full(client, &contact["id"]).await["revision"], 1);
    created
}

#[tokio::test]
async fn the_first_of_several_is_the_primary_one() {
    let client = organisation().await;
    let input = json!({
        "kind": "PERSON", "name": "Maria", "birthday": "1999-12-31",
        "emails": [{ "address": " b@x.example ", "label": " work " }, { "address": "a@x.example" }],
        "phones": [{ "number": "2", "label": " " }, { "number": "1" }],
        "addresses": [{ "city": "Wien", "country": " " }, { "street": "Am Hof 1", "country": "Austria" }],
        "tags": ["b", "a"], "customFields": { "size": 42, "of": { "list": [1.5, null, "x"] } },
    });
    let contact = client.create_contact(input).await;
    let none = json!({ "street": null, "postalCode": null, "city": null, "region": null, "country": null, "label": null });
    let address = |given: Value| {
        let mut address = none.clone();
        given.as_object().unwrap().iter().for_each(|(name, line)| address[name] = line.clone());
        address
    };
    let expected = json!({
        "id": contact["id"], "kind": "PERSON", "name": "Maria", "revision": 1, "birthday": "1999-12-31",
        "email": "b@x.example", "phone": "2", "city": "Wien", "country": null,
        "emails": [{ "address": "b@x.example", "label": "work" }, { "address": "a@x.example", "label": null }],
        "phones": [{ "number": "2", "label": null }, { "number": "1", "label": null }],
        "addresses": [address(json!({ "city": "Wien" })), address(json!({ "street": "Am Hof 1", "country": "Austria" }))],
        "tags": ["b", "a"], "customFields": { "size": 42, "of": { "list": [1.5, null, "x"] } },
    });
    assert_eq!(full(&client, &contact["id"]).await, expected);
}

#[tokio::test]
async fn a_contact_of_which_only_the_name_is_known_is_a_company_with_nothing() {
    let client = organisation().await;
    let contact = client.create_contact(json!({ "name": "Alfreds" })).await;
    let expected = json!({
        "id": contact["id"], "kind": "COMPANY", "name": "Alfreds", "revision": 1, "birthday": null,
        "email": null, "phone": null, "city": null, "country": null,
        "emails": [], "phones": [], "addresses": [], "tags": [], "customFields": {},
    });
    assert_eq!(full(&client, &contact["id"]).await, expected);
}

#[tokio::test]
async fn a_list_is_replaced_as_a_whole_and_the_others_stay() {
    let client = organisation().await;
    let input = json!({
        "name": "Alfreds", "emails": [{ "address": "a@x.example" }, { "address": "b@x.example" }],
        "phones": [{ "number": "1" }], "tags": ["old"], "customFields": { "old": 1 },
    });
    let contact = client.create_contact(input).await;
    let emails =
        json!([{ "address": "c@x.example", "label": null }, { "address": "a@x.example", "label": "home" }]);
    let steps = [
        (
            json!({ "emails": emails }),
            json!({ "emails": emails, "email": "c@x.example", "phone": "1", "tags": ["old"] }),
        ),
        (
            json!({ "tags": ["new"], "customFields": { "new": 2 } }),
            json!({ "tags": ["new"], "customFields": { "new": 2 }, "emails": emails }),
        ),
        (
            json!({ "emails": [], "tags": null }),
            json!({ "emails": [], "email": null, "tags": [], "phone": "1" }),
        ),
        (
            json!({ "customFields": null, "phones": null }),
            json!({ "customFields": {}, "phones": [], "phone": null }),
        ),
    ];
    for (revision, (mut change, expected)) in (1..).zip(steps) {
        change["id"] = contact["id"].clone();
        change["expectedRevision"] = json!(revision);
        mutate(&client, UPDATE, change.clone()).await.ok("/data/updateContact");
        let now = full(&client, &contact["id"]).await;
        for (field, expected) in expected.as_object().unwrap() {
            assert_eq!(now[field], *expected, "{field} after {change}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_of_several_is_said_at_its_place() {
    let client = organisation().await;
    let good = || json!({ "address": "a@x.example" });
    let cases = [
        (json!({ "emails": [good(), { "address": "nobody" }] }), vec!["INVALID emails.1.address"]),
        (
            json!({ "emails": [{ "address": "a@x", "label": "x".repeat(51) }] }),
            vec!["INVALID emails.0.label"],
        ),
        (
            json!({ "emails": [{ "address": format!("{}@x", "a".repeat(253)) }] }),
            vec!["INVALID emails.0.address"],
        ),
        (json!({ "phones": [{ "number": " " }] }), vec!["INVALID phones.0.number"]),
        (json!({ "addresses": [{ "city": "Wien" }, { "label": "home" }] }), vec!["INVALID addresses.1"]),
        (json!({ "addresses": [{ "street": "x".repeat(201) }] }), vec!["INVALID addresses.0.street"]),
        (
            json!({ "emails": [{ "address": "" }], "phones": [{ "number": "\0" }] }),
            vec!["INVALID emails.0.address", "INVALID phones.0.number"],
        ),
        (json!({ "emails": vec![good(); 51] }), vec!["INVALID emails"]),
        (json!({ "emails": vec![good(); 50] }), vec![]),
        (json!({ "birthday": "2023-02-29" }), vec!["INVALID birthday"]),
        (json!({ "birthday": "-0044-03-15" }), vec!["INVALID birthday"]),
        (json!({ "birthday": "2024-02-29" }), vec![]),
    ];
    for (given, expected) in cases {
        if expected.is_empty() {
            let mut input = given;
            input["name"] = json!("Good");
            client.create_contact(input).await;
        } else {
            assert_eq!(refused(&client, given.clone()).await, expected, "{given:.200}");
        }
    }
}

#[tokio::test]
async fn tags_are_trimmed_and_each_stands_once() {
    let client = organisation().await;
    let tags = json!([" a", "b ", "a", "", " ", "A", "b"]);
    let contact = client.create_contact(json!({ "name": "Alfreds", "tags": tags })).await;
    assert_eq!(full(&client, &contact["id"]).await["tags"], json!(["a", "b", "A"]));
    let numbered = |count: usize| (0..count).map(|number| json!(number.to_string())).collect::<Value>();
    client.create_contact(json!({ "name": "Fifty", "tags": numbered(50) })).await;
    assert_eq!(refused(&client, json!({ "tags": numbered(51) })).await, ["INVALID tags"]);
    assert_eq!(refused(&client, json!({ "tags": ["a", "x".repeat(51)] })).await, ["INVALID tags.1"]);
    assert_eq!(refused(&client, json!({ "tags": ["a\nb"] })).await, ["INVALID tags.0"]);
}

#[tokio::test]
async fn fields_of_the_organisations_own_are_an_object_that_can_be_read_back() {
    const MAX: usize = 16 * 1024;
    let client = organisation().await;
    let nested = |depth: usize| (1..depth).fold(json!({}), |inside, _| json!({ "a": inside }));
    // {"a":""} around them.
    let long = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
    for odd in [
        json!([]),
        json!("text"),
        json!(5),
        json!(true),
        long(MAX + 1),
        json!({ "a": "\0" }),
        json!({ "\0": 1 }),
        json!({ "a": f64::MAX }),
        json!({ "$serde_json::private::RawValue": "1" }),
        json!({ "a": [{ "$serde_json::private::Number": "1" }] }),
    ] {
        assert_eq!(
            refused(&client, json!({ "customFields": odd })).await,
            ["INVALID customFields"],
            "{odd:.100}"
        );
    }
    // Variables may nest 64 levels, values in the document 200.
    let deep = format!(
        "mutation {{ createContact(input: {{ contact: {{ kind: COMPANY, name: \"Deep\", customFields: {}1{} }} }}) {{ contact {{ id }} userErrors {{ code message field }} }} }}",
        "{a: ".repeat(150),
        "}".repeat(150)
    );
    let answer = client.run(&deep, json!({})).await;
    assert_eq!(answer.user_errors("/data/createContact"), ["INVALID contact.customFields"]);
    // The six characters of an escape are six characters.
    for good in [
        long(MAX),
        nested(60),
        json!({ "a": "\\u0000 ä \u{1f600}", "": null, "n": 0.1, "big": 9007199254740993_i64 }),
    ] {
        let contact = client.create_contact(json!({ "name": "Good", "customFields": good })).await;
        assert_eq!(full(&client, &contact["id"]).await["customFields"], good);
    }
}

/// Tries to belong to something in every way there is, and answers what was said.
async fn belong(client: &Client, to: &Value) -> [Vec<String>; 3] {
    let person = json!({ "kind": "PERSON", "name": "Maria", "companyId": to });
    let created = mutate(client, CREATE, person.clone()).await.user_errors("/data/createContact");
    let old = client.create_contact(json!({ "kind": "PERSON", "name": "Old" })).await;
    let change = json!({ "id": old["id"], "expectedRevision": 1, "companyId": to });
    let updated = mutate(client, UPDATE, change).await.user_errors("/data/updateContact");
    let created = created.into_iter().map(|error| error.replace(" contact.", " ")).collect();
    let many = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { \
                rowErrors { index field code } userErrors { code } } }";
    let answer = mutate(client, many, json!({ "contacts": [{ "name": "First" }, person] })).await;
    let errors = answer.ok("/data/createContacts")["rowErrors"].as_array().unwrap().clone();
    let line = |error: &Value| {
        assert_eq!(error["index"], 1);
        format!("{} {}", error["code"].as_str().unwrap(), error["field"][0].as_str().unwrap())
    };
    [created, updated, errors.iter().map(line).collect()]
}

#[tokio::test]
async fn a_person_belongs_to_a_living_company_of_the_organisation_and_to_nothing_else() {
    let (client, stranger) = (organisation().await, organisation().await);
    let person = client.create_contact(json!({ "kind": "PERSON", "name": "Person" })).await;
    let deleted = company(&client, "Deleted").await;
    mutate(&client, DELETE, json!({ "id": deleted["id"], "expectedRevision": 1 }))
        .await
        .ok("/data/deleteContact");
    let foreign = company(&stranger, "Foreign").await;
    for id in [&person["id"], &deleted["id"], &foreign["id"]] {
        let said = belong(&client, id).await;
        assert!(said.iter().all(|said| said == &["NOT_FOUND companyId"]), "{said:?}");
    }
    for id in [json!("company"), client.log_in["user"]["id"].clone()] {
        let said = belong(&client, &id).await;
        assert!(said.iter().all(|said| said == &["INVALID companyId"]), "{said:?}");
    }
    let living = company(&client, "Living").await;
    assert_eq!(belong(&client, &living["id"]).await.concat(), [""; 0]);
    let restore = json!({ "id": deleted["id"], "expectedRevision": 2 });
    mutate(&client, RESTORE, restore).await.ok("/data/restoreContact");
    assert_eq!(belong(&client, &deleted["id"]).await.concat(), [""; 0]);
}

#[tokio::test]
async fn nobody_is_his_own_company() {
    let client = organisation().await;
    let person = client.create_contact(json!({ "kind": "PERSON", "name": "Maria" })).await;
    let change = json!({ "id": person["id"], "expectedRevision": 1, "companyId": person["id"] });
    let answer = mutate(&client, UPDATE, change).await;
    assert_eq!(answer.user_errors("/data/updateContact"), ["NOT_FOUND companyId"]);
}

#[tokio::test]
async fn a_person_leaves_a_company_and_keeps_one_that_is_deleted() {
    let client = organisation().await;
    let company = company(&client, "Alfreds").await;
    let maria = json!({ "kind": "PERSON", "name": "Maria", "companyId": company["id"] });
    let maria = client.create_contact(maria).await;
    mutate(&client, DELETE, json!({ "id": company["id"], "expectedRevision": 1 }))
        .await
        .ok("/data/deleteContact");
    // Not named, the company is not asked for.
    let rename = json!({ "id": maria["id"], "expectedRevision": 1, "name": "Mary" });
    mutate(&client, UPDATE, rename).await.ok("/data/updateContact");
    mutate(&client, RESTORE, json!({ "id": company["id"], "expectedRevision": 2 }))
        .await
        .ok("/data/restoreContact");
    let leave = json!({ "id": maria["id"], "expectedRevision": 2, "companyId": null });
    let query = "query ($id: ID!) { contact(id: $id) { companyId company { name } } }";
    let belongs = async || client.run(query, json!({ "id": maria["id"] })).await.ok("/data/contact").clone();
    assert_eq!(belongs().await, json!({ "companyId": company["id"], "company": { "name": "Alfreds" } }));
    mutate(&client, UPDATE, leave).await.ok("/data/updateContact");
    assert_eq!(belongs().await, json!({ "companyId": null, "company": null }));
}
