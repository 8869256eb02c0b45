//! What cannot be meant is refused with a code and its place, before PostgreSQL hears of it.

use serde_json::{Value, json};
use tenancy::Limits;

use super::{
    eventually,
    limits::{at, start},
    proxy::Proxy,
};
use crate::harness::{Client, organisation, server};

const QUERY: &str = "query ($where: ContactFilter, $orderBy: [ContactOrderBy!], $after: String, $before: String) { \
    contacts(first: 1, where: $where, orderBy: $orderBy, after: $after, before: $before) { \
    nodes { id } pageInfo { endCursor } } }";

/// A client of a server with an ear at its database.
struct Overheard {
    client: Client,
    proxy: Proxy,
}

impl Overheard {
    async fn new() -> Self {
        let proxy = Proxy::before(&server().addresses).await;
        let client = at(&start(&proxy.addresses, &Limits::default()).await, &organisation().await);
        client.create_contact(json!({ "name": "Ada" })).await;
        client.create_contact(json!({ "name": "Ben" })).await;
        // Until the listener is connected, and what was published is announced.
        let mut silences = 0;
        eventually("nothing is said by itself", async || {
            silences = if proxy.turns().is_empty() { silences + 1 } else { 0 };
            proxy.forget();
            silences > 5
        })
        .await;
        Self { client, proxy }
    }

    /// What a list is refused for. The second time at the latest the session is known, and there is
    /// nothing left to ask PostgreSQL for.
    async fn refused(&self, variables: &Value) -> Vec<String> {
        for _ in 0..2 {
            self.proxy.forget();
            let answer = self.client.run(QUERY, variables.clone()).await;
            if self.proxy.turns().is_empty() {
                let message = answer.at("/errors/0/message").as_str().unwrap();
                assert!(!message.is_empty() && message.len() < 500, "{message}");
                return answer.errors();
            }
        }
        panic!("PostgreSQL was asked: {:?} {variables:.300}", self.proxy.turns());
    }

    async fn all_refused(&self, argument: &str, cases: Vec<(Value, &str)>) {
        for (value, place) in cases {
            let expected = format!("BAD_REQUEST {place}");
            let told = self.refused(&json!({ argument: value })).await;
            assert_eq!(told, [expected], "{value:.300}");
        }
    }

    /// Asserts that a filter is no more than it may be.
    async fn accepted(&self, filter: Value) {
        self.client.run(QUERY, json!({ "where": filter })).await.ok("/data/contacts");
    }
}

/// The filter, so many levels further down.
fn nested(levels: usize, by: fn(Value) -> Value, filter: Value) -> Value {
    (0..levels).fold(filter, |inside, _| by(inside))
}

fn named(name: &str) -> Value {
    json!({ "name": { "eq": name } })
}

#[tokio::test]
async fn a_filter_has_a_bound_in_every_direction() {
    let overheard = Overheard::new().await;
    let ids = |count: usize| vec!["contact_01h455vb4pex5vsknk084sn02q"; count];
    let several = |count: usize| (0..count).map(|_| named("Ada")).collect::<Value>();
    overheard.accepted(nested(10, |inside| json!({ "not": inside }), named("Ada"))).await;
    overheard.accepted(json!({ "or": several(100) })).await;
    overheard.accepted(json!({ "id": { "in": ids(1000) }, "tags": { "hasAny": ids(1000) } })).await;
    let not = format!("where{}", ".not".repeat(20));
    let or = format!("where{}", ".or.0".repeat(10));
    let company = format!("where{}", ".company".repeat(20));
    let people = format!("where{}.people", ".people.some".repeat(3));
    let cases = vec![
        (nested(50, |inside| json!({ "not": inside }), named("Ada")), not.as_str()),
        (nested(30, |inside| json!({ "or": [inside] }), named("Ada")), or.as_str()),
        (nested(50, |inside| json!({ "company": inside }), json!({})), company.as_str()),
        (nested(20, |inside| json!({ "people": { "some": inside } }), json!({})), people.as_str()),
        (json!({ "or": several(101) }), "where.or"),
        (json!({ "and": several(150), "or": several(60) }), "where.and"),
        (json!({ "id": { "in": ids(1001) } }), "where.id.in"),
        (json!({ "companyId": { "notIn": ids(1001) } }), "where.companyId.notIn"),
        // As many as fit into a request.
        (json!({ "id": { "in": vec![""; 100_000] } }), "where.id.in"),
        (json!({ "tags": { "hasAny": vec!["x"; 1001] } }), "where.tags.hasAny"),
        (
            json!({ "emails": { "some": { "address": { "in": vec!["x"; 1001] } } } }),
            "where.emails.some.address.in",
        ),
        (
            json!({ "id": { "in": ids(1000) }, "tags": { "hasAny": ids(1000) }, "name": { "in": ["x"] } }),
            // In the order of the names.
            "where.tags.hasAny",
        ),
        (json!({ "notes": { "contains": "x".repeat(501) } }), "where.notes.contains"),
    ];
    overheard.all_refused("where", cases).await;
}

#[tokio::test]
async fn an_id_of_another_type_is_no_id_here() {
    let overheard = Overheard::new().await;
    let user = overheard.client.log_in["user"]["id"].clone();
    let contact = "contact_01h455vb4pex5vsknk084sn02q";
    let cases = vec![
        (json!({ "id": { "eq": user } }), "where.id.eq"),
        (json!({ "id": { "ne": "nonsense" } }), "where.id.ne"),
        (json!({ "companyId": { "in": [contact, user] } }), "where.companyId.in.1"),
        (json!({ "createdBy": { "id": { "eq": contact } } }), "where.createdBy.id.eq"),
        (
            json!({ "or": [named("x"), { "company": { "id": { "notIn": [""] } } }] }),
            "where.or.1.company.id.notIn.0",
        ),
        (json!({ "people": { "some": { "id": { "eq": "\0" } } } }), "where.people.some.id.eq"),
        (json!({ "id": { "eq": "c".repeat(10_000) } }), "where.id.eq"),
    ];
    overheard.all_refused("where", cases).await;
}

#[tokio::test]
async fn what_an_operator_cannot_compare_with_is_said_at_the_operator() {
    let overheard = Overheard::new().await;
    let cases = vec![
        (json!({ "name": { "eq": null } }), "where.name.eq"),
        (json!({ "name": { "in": null } }), "where.name.in"),
        (json!({ "name": { "isNull": null } }), "where.name.isNull"),
        (json!({ "people": { "count": { "eq": null } } }), "where.people.count.eq"),
        (json!({ "id": { "in": [null] } }), "variables.where.id.in.0"),
        (json!({ "kind": { "eq": "ROBOT" } }), "variables.where.kind.eq"),
        (json!({ "kind": { "in": ["PERSON", "person"] } }), "variables.where.kind.in.1"),
        (json!({ "name": { "eq": 5 } }), "variables.where.name.eq"),
        (json!({ "revision": { "gt": "many" } }), "variables.where.revision.gt"),
        (json!({ "revision": { "gt": 3_000_000_000_i64 } }), "variables.where.revision.gt"),
        (json!({ "birthday": { "lt": "31.12.1999" } }), "where.birthday.lt"),
        (json!({ "birthday": { "lt": "-0044-03-15" } }), "where.birthday.lt"),
        (json!({ "createdAt": { "gte": "yesterday" } }), "where.createdAt.gte"),
        (json!({ "createdAt": { "gte": "-0044-03-15T00:00:00Z" } }), "where.createdAt.gte"),
        (json!({ "name": { "like": "x" } }), "variables.where.name"),
        (json!({ "nom": { "eq": "x" } }), "variables.where"),
        (json!({ "and": { "nom": { "eq": "x" } } }), "variables.where.and"),
        (json!({ "or": "Ada" }), "variables.where.or"),
        (json!({ "tags": { "has": ["x"] } }), "variables.where.tags.has"),
    ];
    overheard.all_refused("where", cases).await;
}

#[tokio::test]
async fn text_that_postgresql_cannot_hold_never_comes_to_it() {
    let overheard = Overheard::new().await;
    let cases = vec![
        (json!({ "name": { "contains": "a\0b" } }), "where.name.contains"),
        (json!({ "name": { "in": ["\0"] } }), "where.name.in.0"),
        (json!({ "tags": { "has": "\0" } }), "where.tags.has"),
        (json!({ "tags": { "hasAny": ["\0"] } }), "where.tags.hasAny"),
        (json!({ "emails": { "some": { "address": { "eq": "\0" } } } }), "where.emails.some.address.eq"),
        (json!({ "addresses": { "some": { "city": { "in": ["\0"] } } } }), "where.addresses.some.city.in.0"),
        (json!({ "customFields": { "contains": { "a": ["\0"] } } }), "where.customFields.contains"),
        (json!({ "customFields": { "contains": { "\0": 1 } } }), "where.customFields.contains"),
    ];
    overheard.all_refused("where", cases).await;
}

#[tokio::test]
async fn an_order_that_cannot_be_meant_is_refused() {
    let overheard = Overheard::new().await;
    let cases = vec![
        (json!([{}]), "variables.orderBy.0"),
        (json!([{ "name": "ASC" }, { "name": "ASC", "email": "ASC" }]), "variables.orderBy.1"),
        (json!([{ "name": null }]), "variables.orderBy.0"),
        (json!([{ "name": "SIDEWAYS" }]), "variables.orderBy.0.name"),
        (json!([{ "tags": "ASC" }]), "variables.orderBy.0"),
        (json!([{ "people": { "name": "ASC" } }]), "variables.orderBy.0"),
        (json!([{ "company": {} }]), "variables.orderBy.0.company"),
        (json!([{ "company": { "company": { "name": "ASC" } } }]), "orderBy.0.company.company"),
        (json!(vec![json!({ "name": "ASC" }); 6]), "orderBy"),
    ];
    overheard.all_refused("orderBy", cases).await;
}

#[tokio::test]
async fn a_cursor_is_good_for_the_order_it_came_from_alone() {
    let overheard = Overheard::new().await;
    let orders = [
        json!([]),
        json!([{ "createdAt": "ASC" }]),
        json!([{ "name": "ASC" }]),
        json!([{ "name": "DESC" }]),
        json!([{ "company": { "name": "ASC" } }]),
        json!([{ "createdBy": { "name": "ASC" } }]),
        json!([{ "name": "ASC" }, { "email": "ASC" }]),
    ];
    for from in &orders {
        let page = overheard.client.run(QUERY, json!({ "orderBy": from })).await;
        let cursor = page.ok("/data/contacts")["pageInfo"]["endCursor"].clone();
        for to in &orders {
            for side in ["after", "before"] {
                let variables = json!({ "orderBy": to, side: cursor });
                if from == to {
                    overheard.client.run(QUERY, variables).await.ok("/data/contacts");
                } else {
                    assert_eq!(
                        overheard.refused(&variables).await,
                        [format!("BAD_REQUEST {side}")],
                        "{from} {to}"
                    );
                }
            }
        }
    }
}

/// The parser goes down with every bracket, on the stack of the thread: who overflows it ends the
/// process, for everybody.
#[tokio::test]
async fn no_document_is_so_deep_that_it_takes_the_server_with_it() {
    let overheard = Overheard::new().await;
    for depth in [300, 3000, 30_000] {
        for (open, inside, close) in [
            ("{ node(id: ", "1", ") { id } }"),
            ("{ contacts(where: ", "1", ") { nodes { id } } }"),
            ("query ($a: ", "ID", ") { __typename }"),
            ("{ node(id: \"\"\" ({[ \\\"\"\" \", # ( \\\" \\u0028\"\"\", if: ", "1", ") { id } }"),
        ] {
            for (left, right) in [("[", "]"), ("{a:", "}")] {
                let query = format!("{open}{}{inside}{}{close}", left.repeat(depth), right.repeat(depth));
                let answer = overheard.client.run(&query, json!({})).await;
                let errors = answer.errors();
                let code = errors.first().and_then(|error| error.split(' ').next());
                assert!(matches!(code, Some("COST_EXCEEDED" | "BAD_REQUEST")), "{depth} {open} {errors:?}");
            }
        }
    }
    // Brackets in strings and comments are none.
    let text = "([{".repeat(300);
    for query in [
        format!("{{ contacts(where: {{ name: {{ eq: \"{text} \\\" {text}\" }} }}) {{ nodes {{ id }} }} }}"),
        format!(
            "{{ contacts(where: {{ name: {{ eq: \"\"\"{text} \\\"\"\" \" {text}\"\"\" }} }}) {{ nodes {{ id }} }} }}"
        ),
        format!("{{ # {text}\n contacts {{ nodes {{ id }} }} }}"),
    ] {
        overheard.client.run(&query, json!({})).await.ok("/data/contacts");
    }
}
