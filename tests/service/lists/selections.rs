//! Selections as front ends write them: what a list reads in one statement is what its rows answer
//! one by one.

use serde_json::{Value, json};

use super::{inhabited, runner};
use crate::harness::organisation;

/// Long notes, and how many contacts have them.
const NOTES: usize = 10_000;
const LONG: usize = 20;
/// More than there are, and as many as may be read by their ids at once.
const ROWS: usize = 100;

/// What is asked of a contact. `$yes` and `$no` are true and false.
const SELECTIONS: &[&str] = &[
    "{ __typename id kind name createdAt revision tags customFields }",
    "{ a: name b: name name aKind: kind what: __typename __typename }",
    // Joined, under two names, and once with nothing of its own.
    "{ company { name } }",
    "{ firm: company { n: name m: name __typename } company { __typename } createdBy { name email } }",
    // The same field twice, each time with other fields below.
    "{ company { name } company { email createdAt } company { name id } }",
    "{ emails { address } emails { label } first: emails { label address } company { name } }",
    // Joined here and loaded there.
    "{ company { name } far: company { name people(first: 2, orderBy: [{ name: ASC }]) \
     { totalCount nodes { name company { name } } } } }",
    "{ company { name } company { emails { address } createdBy { name } } createdBy { name } }",
    // Fragments, named and not, on the type and on what it implements.
    "{ ...named ... { name } ... on Contact { email } ... on Node { id __typename ... on Contact \
     { phone company { ...named } } ... on Product { name unit } } }",
    "{ ... on Node { ... on Node { id } ...named } company { ... on Node { __typename ...named } } }",
    // What is left out and what is not.
    "{ name @skip(if: $yes) email @include(if: $yes) company @skip(if: $no) { name @include(if: $no) id } \
     ... @include(if: $no) { notes } ...named @include(if: $yes) @skip(if: $no) createdBy @skip(if: $yes) { id } }",
    // Lists in rows: two questions about the same relation, and rows that look back.
    "{ people(first: 2) { totalCount edges { cursor node { ...named company { ...named } } } \
     pageInfo { hasNextPage endCursor } } late: people(last: 1) { nodes { name } nodes { email } } }",
];

const FRAGMENT: &str = "fragment named on Contact { id name country company { city } }";

#[test]
fn a_list_answers_of_each_row_what_the_row_answers_by_itself() {
    let (mut runner, again) = runner(1, 0);
    let (runtime, client, _world) = inhabited(&mut runner);
    for selection in SELECTIONS {
        // What nobody uses is an error of the document.
        let fragment = if selection.contains("...named") { FRAGMENT } else { "" };
        let flag =
            |name: &str| if selection.contains(name) { format!("{name}: Boolean!, ") } else { String::new() };
        let flags = [flag("$yes"), flag("$no")].concat();
        let list = format!(
            "query ({flags}$first: Int) {{ contacts(first: $first, orderBy: [{{ name: ASC }}]) {{ \
             ids: nodes {{ id }} nodes {selection} edges {{ cursor node {selection} }} \
             edges {{ node {{ id }} }} }} }} {fragment}"
        );
        let rows = format!(
            "query ({flags}$ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Contact {selection} }} }} {fragment}"
        );
        runtime.block_on(async {
            let mut variables = json!({ "yes": true, "no": false, "first": ROWS });
            let answer = client.run(&list, variables.clone()).await;
            let page = answer.ok("/data/contacts");
            let ids: Value = each(&page["ids"], |row| row["id"].clone());
            variables["ids"] = ids.clone();
            let answer = client.run(&rows, variables).await;
            let single = answer.ok("/data/nodes");
            assert_eq!(page["nodes"], *single, "{list}\n{again}");
            let with_id = |row: &Value| {
                let mut row = row["node"].clone();
                assert!(row["id"].is_string(), "{list}");
                if !single[0].as_object().unwrap().contains_key("id") {
                    row.as_object_mut().unwrap().remove("id");
                }
                row
            };
            assert_eq!(each(&page["edges"], with_id), *single, "{list}\n{again}");
            assert_eq!(each(&page["edges"], |edge| edge["node"]["id"].clone()), ids, "{list}\n{again}");
        });
    }
}

/// Front ends put their queries together from fragments that do not know of each other.
#[tokio::test]
async fn a_list_that_several_fragments_ask_for_is_answered_once_with_all_their_fields() {
    let client = organisation().await;
    let create = "mutation { createContact(input: { contact: { kind: COMPANY, name: \"Alfreds\" } }) { userErrors { code } } }";
    client.run(create, json!({})).await.ok("/data/createContact");
    let query = "{ ...names contacts { nodes { email } totalCount } ...kinds } \
                 fragment names on Query { contacts { nodes { name } } contactsAggregate { count } } \
                 fragment kinds on Query { contacts { edges { node { kind } } nodes { name kind } } \
                 contactsAggregate { key { __typename } } }";
    let expected = r#"{"data":{"contacts":{"nodes":[{"name":"Alfreds","email":null,"kind":"COMPANY"}],"totalCount":1,"edges":[{"node":{"kind":"COMPANY"}}]},"contactsAggregate":[{"count":1,"key":{"__typename":"ContactGroupKey"}}]}}"#;
    assert_eq!(client.run(query, json!({})).await.text, expected);
    let once = "{ contacts { totalCount edges { node { kind name company { name } emails { label } } } } }";
    let expected = r#"{"data":{"contacts":{"totalCount":1,"edges":[{"node":{"kind":"COMPANY","name":"Alfreds","company":null,"emails":[]}}]}}}"#;
    assert_eq!(client.run(once, json!({})).await.text, expected);
}

/// The library answers null for an object of which a place asks nothing, and a mutation as often as it
/// is asked for.
#[tokio::test]
async fn places_that_ask_for_the_same_do_not_take_it_from_each_other() {
    let client = organisation().await;
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": "Alfreds" })).await;
    let variables = json!({ "id": contact["id"], "no": false });
    let query = "query ($id: ID!, $no: Boolean!) { \
                 node(id: $id) { ... on Contact { name people { totalCount } } } node(id: $id) { ... on Product { name } } \
                 nodes(ids: [$id]) { ... on Product { name } } nodes(ids: [$id]) { id } \
                 organisation { name @include(if: $no) } organisation { plan } }";
    let answer = client.run(query, variables).await;
    let expected = json!({
        "node": { "name": "Alfreds", "people": { "totalCount": 0 } },
        "nodes": [{ "id": contact["id"] }],
        "organisation": { "plan": "starter" },
    });
    assert_eq!(answer.body, json!({ "data": expected }));
    let mutation = "mutation { ...a ...b } \
                    fragment a on Mutation { createContact(input: { contact: { kind: COMPANY, name: \"Twice\" } }) { contact { id } } } \
                    fragment b on Mutation { createContact(input: { contact: { kind: COMPANY, name: \"Twice\" } }) { contact { name } } }";
    assert_eq!(client.run(mutation, json!({})).await.errors(), ["BAD_REQUEST"]);
    let query = "{ contacts { totalCount } }";
    assert_eq!(client.run(query, json!({})).await.at("/data/contacts/totalCount"), 1);
    let often = format!("{{ {} }}", "contacts(first: 0) { totalCount } ".repeat(51));
    assert_eq!(client.run(&often, json!({})).await.errors(), ["COST_EXCEEDED"]);
}

#[tokio::test]
async fn one_thing_that_may_not_be_read_does_not_stop_what_others_wait_for() {
    let admin = organisation().await;
    let contact = admin.create_contact(json!({ "name": "Alfreds" })).await;
    let create = "mutation ($input: CreateProductInput!) { createProduct(input: $input) { product { id } } }";
    let answer = admin.mutate(create, json!({ "name": "Chai", "clientPrice": "18" })).await;
    let product = answer.at("/data/createProduct/product/id");
    let colleague = admin.colleague(&["TICKET_ADMIN"]).await;
    let query =
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } nodes(ids: $ids) { ... on Contact { name } } }";
    for ids in [json!([contact["id"], product]), json!([product, contact["id"]])] {
        let answer = colleague.run(query, json!({ "ids": ids })).await;
        // Both places are one field of the answer, with one error.
        assert_eq!(answer.errors(), ["FORBIDDEN"], "{}", answer.text);
    }
}

/// What a list leaves to resolvers comes back in the order in which they were done, without what failed.
#[tokio::test]
async fn what_resolvers_answer_below_a_list_has_every_key_in_its_place() {
    let client = organisation().await;
    let company = client.create_contact(json!({ "kind": "COMPANY", "name": "Alfreds" })).await;
    let person = json!({ "kind": "PERSON", "name": "Ann", "companyId": company["id"] });
    client.create_contact(person).await;
    let list = |of_company: &str| {
        format!("{{ contacts(first: 1) {{ nodes {{ company {{ {of_company} }} name }} }} }}")
    };
    let answer =
        client.run(&list("people { totalCount } name emails { address __typename }"), json!({})).await;
    let expected = r#"{"data":{"contacts":{"nodes":[{"company":{"people":{"totalCount":1},"name":"Alfreds","emails":[]},"name":"Ann"}]}}}"#;
    assert_eq!(answer.text, expected);
    let answer = client.run(&list("name people(first: 500) { totalCount } kind"), json!({})).await;
    assert_eq!(answer.errors(), ["BAD_REQUEST first"]);
    let data = r#""data":{"contacts":{"nodes":[{"company":{"name":"Alfreds","people":null,"kind":"COMPANY"},"name":"Ann"}]}}"#;
    assert!(answer.text.contains(data), "{}", answer.text);
}

#[tokio::test]
async fn an_answer_of_any_length_is_refused_before_it_fills_the_memory() {
    let client = organisation().await;
    let contact = json!({ "kind": "PERSON", "name": "Ann", "notes": "\u{1f4d6}".repeat(NOTES) });
    let create =
        "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { userErrors { code } } }";
    let input = json!({ "contacts": vec![contact; LONG] });
    client.run(create, json!({ "input": input })).await.ok("/data/createContacts");
    let list = |name: &str, aliases: usize| {
        let notes: String = (0..aliases).map(|at| format!("n{at}: notes ")).collect();
        format!("{name}: contacts {{ nodes {{ {notes} }} }}")
    };
    // 4 bytes a letter: 8 MB, and five times as much, in five lists and in one.
    client.run(&format!("{{ {} }}", list("some", 10)), json!({})).await.ok("/data/some");
    let five = |part: &dyn Fn(usize) -> String| (0..5).map(part).collect::<String>();
    let lists = five(&|at| list(&format!("l{at}"), 10));
    let nodes = five(&|at| {
        list(&format!("n{at}"), 10).replace(": contacts { nodes", ": nodes").replacen(" }", "", 1)
    });
    let id = "{ contacts(first: 1) { nodes { id } } }";
    let id = client.run(id, json!({})).await.at("/data/contacts/nodes/0/id").clone();
    let same = format!("nodes(ids: {}) {{ ... on Contact {{ notes }} }}", json!(vec![id; 100]));
    for query in [lists, format!("contacts {{ {nodes} }}"), format!("a: {same} b: {same} c: {same}")] {
        let answer = client.run(&format!("{{ {query} }}"), json!({})).await;
        let errors = answer.errors();
        let only = !errors.is_empty() && errors.iter().all(|error| error == "COST_EXCEEDED");
        assert!(only, "{errors:?} {query}");
    }
}

fn each(list: &Value, of: impl Fn(&Value) -> Value) -> Value {
    list.as_array().unwrap().iter().map(of).collect()
}
