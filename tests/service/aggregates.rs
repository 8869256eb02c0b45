//! Aggregates, compared with a plain model of the same rows, buckets of time against the clocks of
//! chrono-tz.

mod buckets;
mod cell;
mod clock;
mod fixture;
mod model;
mod questions;
mod refusals;
mod request;
pub(crate) mod rng;

use async_graphql::resolver_utils::EnumType;
use chrono_tz::Tz;
use serde_json::{Value, json};
use tenancy::{Permission, Role};
use uuid::Uuid;

use self::{
    cell::is_mean,
    fixture::Fixture,
    model::{Function, Group, Question},
    rng::Rng,
};
use crate::harness::{Client, connect, organisation, server};

/// Zones that between them do everything that clocks have been known to do: set at night, at
/// midnight both ways, by half an hour, never, at odd offsets, and over a whole day.
const ZONES: [Tz; 9] = [
    Tz::UTC,
    Tz::Europe__Vienna,
    Tz::America__New_York,
    Tz::America__Havana,
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Apia,
];

/// Writes rows behind the service's back, as the owner of the tables: only there can a test choose
/// when a row was added. All rows name the same columns.
pub(crate) async fn insert(client: &Client, table: &str, mut rows: Vec<Value>) {
    let Some(Value::Object(first)) = rows.first() else { return };
    let columns: Vec<String> = first.keys().map(|column| format!("{column:?}")).collect();
    let columns = [columns, vec!["organisation_id".to_owned()]].concat().join(", ");
    for row in &mut rows {
        row["organisation_id"] = json!(client.organisation_id());
    }
    let sql = format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::text::json)"
    );
    let owner = connect(server().addresses.owner.as_str()).await;
    owner.execute(&sql, &[&Value::from(rows).to_string()]).await.unwrap();
}

/// Compares what was answered with what the model computes; prints the request where they differ.
fn compare(question: &Question, expected: &[Group], answered: &[Group]) {
    let keys = |groups: &[Group]| groups.iter().map(|group| group.keys.clone()).collect::<Vec<_>>();
    let only = |some: &[Group], others: &[Group]| {
        let others = keys(others);
        keys(some).into_iter().filter(|keys| !others.contains(keys)).collect::<Vec<_>>()
    };
    let (missing, surplus) = (only(expected, answered), only(answered, expected));
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{question:#?}\nmissing {missing:?}\nsurplus {surplus:?}"
    );
    assert_eq!(keys(answered), keys(expected), "the order of the groups of {question:#?}");
    for (expected, answered) in expected.iter().zip(answered) {
        let same = |place: usize| {
            let (exact, figure) = (&expected.figures[place], &answered.figures[place]);
            match question.measures[place].function {
                Function::Avg | Function::Share => is_mean(figure, exact),
                _ => figure == exact,
            }
        };
        let same = expected.count == answered.count && (0..question.measures.len()).all(same);
        assert!(same, "{question:#?}\nexpected {expected:?}\nanswered {answered:?}");
    }
}

impl Fixture {
    async fn check(&self, question: &Question) {
        let expected = question.answer(&self.rows);
        let answer = question.ask(&self.client, self.entity).await;
        if question.first.is_none() && expected.len() > 1000 {
            assert_eq!(answer.errors(), ["BAD_REQUEST first"], "{question:#?} {}", answer.body);
            return;
        }
        assert!(answer.body.get("errors").is_none(), "{question:#?} {}", answer.body);
        compare(question, &expected, &question.read(answer.at(&self.entity.pointer())));
    }
}

#[tokio::test]
async fn figures_of_contacts_are_what_a_fold_over_the_same_rows_gives() {
    let mut rng = Rng::new();
    for (rows, questions) in [(0, 15), (3, 25), (50, 100)] {
        let fixture = fixture::contacts(&mut rng, rows).await;
        for _ in 0..questions {
            let question = fixture.question(&mut rng);
            fixture.check(&question).await;
        }
    }
}

#[tokio::test]
async fn figures_of_products_are_exact_and_what_a_fold_over_the_same_rows_gives() {
    let mut rng = Rng::new();
    for (rows, questions) in [(0, 15), (3, 25), (50, 100)] {
        let fixture = fixture::products(&mut rng, rows).await;
        for _ in 0..questions {
            let question = fixture.question(&mut rng);
            fixture.check(&question).await;
        }
    }
}

/// Of everything that can be grouped by a relation, one question, and what one must be allowed.
const BY_RELATION: &[(&str, &str, &[Permission])] = &[
    ("contacts", "kind: true", &[Permission::ReadContacts]),
    ("contacts", "company: { country: true }", &[Permission::ReadContacts]),
    ("contacts", "createdBy: { email: true }", &[Permission::ReadContacts, Permission::ReadUsers]),
    ("products", "category: true", &[Permission::ReadProducts]),
    ("products", "createdBy: { email: true }", &[Permission::ReadProducts, Permission::ReadUsers]),
    ("users", "active: true", &[Permission::ReadUsers]),
    ("users", "createdBy: { email: true }", &[Permission::ReadUsers]),
];

#[tokio::test]
async fn groups_are_for_those_who_may_read_all_that_they_are_made_by() {
    let admin = organisation().await;
    let mut askers: Vec<(String, Client, Vec<Role>)> =
        vec![("nobody in particular".to_owned(), admin.colleague(&[]).await, vec![])];
    for role in Role::items() {
        askers.push((role.name.to_owned(), admin.colleague(&[role.name]).await, vec![role.value]));
    }
    for (many, by, needed) in BY_RELATION {
        let query = format!("{{ {many}Aggregate(groupBy: {{ {by} }}) {{ count }} }}");
        assert_eq!(admin.anonymous().run(&query, json!({})).await.errors(), ["UNAUTHENTICATED"]);
        for (name, asker, roles) in &askers {
            let may = needed.iter().all(|needed| roles.iter().any(|role| role.allows(*needed)));
            let expected: &[&str] = if may { &[] } else { &["FORBIDDEN"] };
            assert_eq!(asker.run(&query, json!({})).await.errors(), expected, "{query} for {name}");
        }
    }
}

#[tokio::test]
async fn an_answer_has_the_form_of_its_document() {
    let client = organisation().await;
    let product = |category: Value, price: &str| {
        json!({
            "id": Uuid::now_v7(), "name": "Tea", "category": category, "our_cost": "0.5",
            "client_price": price, "active": true, "revision": 1,
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        })
    };
    let rows = vec![product(json!("Hot"), "1.25"), product(json!("Hot"), "2.75"), product(Value::Null, "1")];
    insert(&client, "products", rows).await;
    let query = "query ($no: Boolean!) { \
        all: productsAggregate { count nothing: count @include(if: $no) sum { margin } } \
        productsAggregate(groupBy: { category: true }) { \
            ...figures n: count count @skip(if: true) key { what: category __typename } \
            sum { clientPrice } more: sum { margin } __typename } } \
        fragment figures on ProductAggregate { \
            sum { margin } ... on ProductAggregate { avg { mean: clientPrice } max { createdAt } } }";
    let answer = client.run(query, json!({ "no": false })).await;
    assert_eq!(*answer.ok("/data/all"), json!([{ "count": 3, "sum": { "margin": "3.50" } }]));
    let group = |key: Value, n: i32, margin: &str, price: &str, mean: &str| {
        json!({
            "n": n, "key": { "what": key, "__typename": "ProductGroupKey" }, "__typename": "ProductAggregate",
            "sum": { "margin": margin, "clientPrice": price }, "more": { "margin": margin },
            "avg": { "mean": mean }, "max": { "createdAt": "2020-01-01T00:00:00Z" },
        })
    };
    let expected = json!([
        group(json!("Hot"), 2, "3.00", "4.00", "2.0000000000000000"),
        group(Value::Null, 1, "0.5", "1", "1.00000000000000000000"),
    ]);
    assert_eq!(*answer.ok("/data/productsAggregate"), expected);
}

#[tokio::test]
async fn rows_of_others_and_deleted_ones_are_never_counted() {
    let (one, other) = (organisation().await, organisation().await);
    one.colleague(&["STAFF"]).await;
    let contact = |name: &str, deleted: Value| {
        json!({
            "id": Uuid::now_v7(), "kind": "COMPANY", "name": name, "emails": [], "phones": [],
            "addresses": [], "tags": [], "custom_fields": {}, "revision": 1, "deleted_at": deleted,
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        })
    };
    let deleted = json!("2021-01-01T00:00:00Z");
    insert(&one, "contacts", vec![contact("Mine", Value::Null), contact("Gone", deleted.clone())]).await;
    insert(&other, "contacts", vec![contact("Theirs", Value::Null), contact("Mine", deleted)]).await;
    // Deleted rows count where they are asked for.
    let query = "{ contactsAggregate(groupBy: { name: true }) { key { name } count } \
        filter: contactsAggregate(where: { deletedAt: { isNull: false } }) { count } \
        all: contactsAggregate(deleted: INCLUDE) { count } \
        deleted: contactsAggregate(deleted: ONLY) { count } \
        productsAggregate { count } usersAggregate { count } }";
    let expected = |name: &str, users: i32| {
        json!({
            "contactsAggregate": [{ "key": { "name": name }, "count": 1 }], "filter": [{ "count": 0 }],
            "all": [{ "count": 2 }], "deleted": [{ "count": 1 }],
            "productsAggregate": [{ "count": 0 }], "usersAggregate": [{ "count": users }],
        })
    };
    assert_eq!(*one.run(query, json!({})).await.ok("/data"), expected("Mine", 2));
    assert_eq!(*other.run(query, json!({})).await.ok("/data"), expected("Theirs", 1));
}
