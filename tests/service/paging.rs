//! Lists in pages: every row once, whichever way.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::{Client, organisation};

const QUERY: &str = "query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [ContactOrderBy!]) { \
    contacts(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) { \
    edges { cursor node { id name email country birthday createdAt company { name email } createdBy { name } } } nodes { id } \
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn page(client: &Client, arguments: Value) -> Value {
    client.run(QUERY, arguments).await.ok("/data/contacts").clone()
}

fn rows(page: &Value) -> Vec<Value> {
    page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}

/// All rows, walked in pages of this size.
async fn walk(client: &Client, order: &Value, size: usize, backwards: bool) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let arguments = if backwards {
            json!({ "last": size, "before": cursor, "orderBy": order })
        } else {
            json!({ "first": size, "after": cursor, "orderBy": order })
        };
        let page = page(client, arguments).await;
        let info = &page["pageInfo"];
        if backwards {
            all.splice(0..0, rows(&page));
        } else {
            all.extend(rows(&page));
        }
        let (more, next) =
            if backwards { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
        if info[more] == false {
            return all;
        }
        assert_eq!(page["nodes"].as_array().unwrap().len(), size, "a page with more behind it is full");
        cursor = info[next].clone();
    }
}

/// The companies that rows may belong to: two of one name, one without an e-mail.
const COMPANIES: [(&str, Option<&str>); 3] = [("Ada", Some("a@x")), ("Ada", None), ("Zoë", Some("b@x"))];

/// Rows with few different values, so that ties and nulls are everywhere; and which of the companies
/// each belongs to.
fn some_row() -> impl Strategy<Value = (Value, Option<usize>)> {
    let emails = select(vec![json!([]), json!([{ "address": "a@x" }]), json!([{ "address": "b@x" }])]);
    let addresses =
        select(vec![json!(null), json!([{ "country": "Chile" }]), json!([{ "country": "Zambia" }])]);
    let birthday = select(vec![json!(null), json!("0999-12-31"), json!("1815-12-10")]);
    let company = select(vec![None, Some(0), Some(1), Some(2)]);
    let row = (select(vec!["Ada", "Béla", "Zoë"]), emails, addresses, birthday, company);
    row.prop_map(|(name, emails, addresses, birthday, company)| {
        let input = json!({
            "kind": "PERSON", "name": name, "emails": emails, "addresses": addresses, "birthday": birthday,
        });
        (input, company)
    })
}

/// One to five fields, those of related rows among them.
fn some_order() -> impl Strategy<Value = Value> {
    let fields = [
        "name",
        "email",
        "country",
        "birthday",
        "createdAt",
        "company.name",
        "company.email",
        "createdBy.name",
    ];
    let key = (select(fields.to_vec()), select(vec!["ASC", "DESC"]));
    let key = key.prop_map(|(field, direction)| match field.split_once('.') {
        Some((relation, field)) => json!({ relation: { field: direction } }),
        None => json!({ field: direction }),
    });
    vec(key, 0..6).prop_map(Value::from)
}

/// The companies, and the rows who belong to them.
async fn create(client: &Client, contacts: Vec<(Value, Option<usize>)>) {
    let mut companies = vec![];
    for (name, email) in COMPANIES {
        let emails: Vec<Value> = email.iter().map(|email| json!({ "address": email })).collect();
        companies.push(client.create_contact(json!({ "name": name, "emails": emails })).await);
    }
    let of = |(mut row, company): (Value, Option<usize>)| {
        row["companyId"] = company.map_or(Value::Null, |company| companies[company]["id"].clone());
        row
    };
    let rows: Vec<Value> = contacts.into_iter().map(of).collect();
    let query = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { createdCount } }";
    client.mutate(query, json!({ "contacts": rows })).await.ok("/data/createContacts");
}

#[test]
fn walking_all_pages_gives_every_row_once_in_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let case = (vec(some_row(), 0..14), vec((some_order(), 1_usize..6), 4));
    runner
        .run(&case, |(contacts, walks)| {
            runtime.block_on(async {
                let client = organisation().await;
                let all = contacts.len() + COMPANIES.len();
                create(&client, contacts).await;
                for (order, size) in &walks {
                    let whole = rows(&page(&client, json!({ "first": 200, "orderBy": order })).await);
                    assert_eq!(whole.len(), all);
                    assert_sorted(&whole, order);
                    assert_eq!(
                        walk(&client, order, *size, false).await,
                        whole,
                        "forwards by {size}, {order}"
                    );
                    assert_eq!(
                        walk(&client, order, *size, true).await,
                        whole,
                        "backwards by {size}, {order}"
                    );
                }
            });
            Ok(())
        })
        .unwrap();
}

/// Whether rows follow an order; null values come last in either direction.
fn assert_sorted(rows: &[Value], order: &Value) {
    for pair in rows.windows(2) {
        for key in order.as_array().unwrap() {
            // The way down to the field, and the direction at its end.
            let (mut path, mut end) = (String::new(), key);
            while let Some((field, below)) = end.as_object().and_then(|key| key.iter().next()) {
                path += &format!("/{field}");
                end = below;
            }
            let rank = |row: &Value| {
                let text = row.pointer(&path).and_then(Value::as_str).map(str::to_owned);
                (text.is_none(), text)
            };
            let (one, two) = (rank(&pair[0]), rank(&pair[1]));
            if one != two {
                let is_right = if one.0 == two.0 { (one < two) == (end == "ASC") } else { two.0 };
                assert!(is_right, "{order}: {pair:?}");
                break;
            }
        }
    }
}

#[test]
fn rows_that_stay_are_met_once_while_others_come_and_go() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    runner
        .run(&vec(any::<Index>(), 4), |doomed| {
            runtime.block_on(async {
                let client = organisation().await;
                let mut stays = Vec::new();
                for number in 0..12 {
                    let input = json!({ "kind": "COMPANY", "name": format!("C{number:02}") });
                    stays.push(client.create_contact(input).await);
                }
                let mut goes: Vec<Value> =
                    doomed.iter().map(|index| stays.remove(index.index(stays.len()))).collect();
                let order = json!([{ "name": "ASC" }]);
                let (mut met, mut cursor) = (Vec::new(), Value::Null);
                loop {
                    let page = page(&client, json!({ "first": 3, "after": cursor, "orderBy": order })).await;
                    met.extend(rows(&page));
                    if page["pageInfo"]["hasNextPage"] == false {
                        break;
                    }
                    cursor = page["pageInfo"]["endCursor"].clone();
                    client
                        .create_contact(json!({ "kind": "COMPANY", "name": format!("C{:02}x", met.len()) }))
                        .await;
                    if let Some(gone) = goes.pop() {
                        delete(&client, &gone).await;
                    }
                }
                for contact in &stays {
                    let times = met.iter().filter(|row| row["id"] == contact["id"]).count();
                    assert_eq!(times, 1, "{contact}");
                }
            });
            Ok(())
        })
        .unwrap();
}

async fn delete(client: &Client, contact: &Value) {
    let query =
        "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { userErrors { code } } }";
    let input = json!({ "id": contact["id"], "expectedRevision": contact["revision"] });
    client.run(query, json!({ "input": input })).await.ok("/data/deleteContact");
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order_and_to_nobody_else() {
    let (ours, theirs) = (organisation().await, organisation().await);
    for client in [&ours, &theirs] {
        for name in ["A", "B"] {
            client.create_contact(json!({ "kind": "COMPANY", "name": name })).await;
        }
    }
    let cursor =
        page(&ours, json!({ "first": 1, "orderBy": [{ "name": "ASC" }] })).await["pageInfo"]["endCursor"]
            .clone();
    for order in [json!([{ "name": "DESC" }]), json!([]), json!([{ "name": "ASC" }, { "email": "ASC" }])] {
        let answer = ours.run(QUERY, json!({ "after": cursor, "orderBy": order })).await;
        assert_eq!(answer.errors(), ["BAD_REQUEST after"], "{order}");
    }
    // A cursor only says where to begin; what is there is still one's own.
    let page = page(&theirs, json!({ "after": cursor, "orderBy": [{ "name": "ASC" }] })).await;
    assert!(rows(&page).iter().all(|row| row["name"] == "A" || row["name"] == "B"));
    let own = walk(&theirs, &json!([]), 10, false).await;
    assert!(rows(&page).iter().all(|row| own.contains(row)));
}
