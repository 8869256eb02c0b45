//! Exports: what a list answers, as a CSV.

pub(crate) mod both_ways;
mod refusals;
mod round_trip;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    aggregates::{insert, rng::Rng},
    harness::{Client, organisation},
};

/// An export as it came.
#[derive(Debug)]
struct Exported {
    status: u16,
    content_type: String,
    disposition: String,
    text: String,
}

/// Asks for an export: the file, and what stands behind the question mark.
async fn export(client: &Client, file: &str, asked: &[(&str, &str)]) -> Exported {
    let response = client.export(file, asked).await;
    let header = |name| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    Exported {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        disposition: header("content-disposition"),
        text: response.text().await.unwrap(),
    }
}

impl Exported {
    /// The line of names, and the rows behind it.
    fn sheet(&self) -> (Vec<String>, Vec<Vec<String>>) {
        assert_eq!(self.status, 200, "{}", self.text);
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let header = cells(reader.headers().unwrap());
        (header, reader.records().map(|record| cells(&record.unwrap())).collect())
    }

    fn rows(&self) -> Vec<Vec<String>> {
        self.sheet().1
    }

    /// Status, code and field of a refusal: `400 BAD_REQUEST columns`.
    fn refusal(&self) -> String {
        let Ok(body) = serde_json::from_str::<Value>(&self.text) else {
            return format!("{} no JSON", self.status);
        };
        let extensions = &body["errors"][0]["extensions"];
        let field = extensions["field"].as_array().cloned().unwrap_or_default();
        let steps: Vec<&str> = field.iter().map(|step| step.as_str().unwrap()).collect();
        let line = format!("{} {} {}", self.status, extensions["code"].as_str().unwrap(), steps.join("."));
        line.trim_end().to_owned()
    }
}

/// The columns of a table for a contact with nothing but a name.
fn blank(kind: &str, name: &str) -> Value {
    json!({
        "id": Uuid::now_v7(), "kind": kind, "name": name, "company_id": null, "notes": null, "emails": [],
        "phones": [], "addresses": [], "birthday": null, "tags": [], "custom_fields": {}, "revision": 1,
        "created_by": null, "deleted_at": null,
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
    })
}

/// Contacts of which many have the same name, some a company, and some nothing at all.
async fn contacts(rng: &mut Rng, client: &Client, companies: usize, people: usize) {
    let words = ["Ash", "birch, weeping", "Elm \"wych\"", "yew; Irish"];
    let mut rows: Vec<Value> = (0..companies).map(|_| blank("COMPANY", rng.one(&words))).collect();
    let ids: Vec<Value> = rows.iter().map(|row| row["id"].clone()).collect();
    for _ in 0..people {
        let mut row = blank("PERSON", rng.one(&words));
        if !ids.is_empty() && !rng.once_in(4) {
            row["company_id"] = rng.one(&ids);
        }
        rows.push(row);
    }
    for row in &mut rows {
        if rng.once_in(2) {
            row["addresses"] = json!([{ "city": rng.one(&words), "country": rng.one(&words) }]);
            row["emails"] = json!([{ "address": "one@example.org" }, { "address": "two@example.org" }]);
            row["phones"] = json!([{ "number": "+43 1 234", "label": "office" }]);
            row["birthday"] = json!("2000-02-29");
            row["tags"] = json!(["new", "from afar"]);
            row["custom_fields"] = json!({ "size": [1, 2.5], "colour": null });
            row["notes"] = json!("first line\r\nsecond \"line\"\n\n, and the end ");
            row["created_at"] = json!("2021-06-30T23:59:59.123456Z");
            row["created_by"] = json!(client.log_in["user"]["id"].as_str().map(crate::harness::uuid));
        }
    }
    // Deleted rows, and those of deleted companies.
    for row in rows.iter_mut().step_by(7) {
        row["deleted_at"] = json!("2022-01-01T00:00:00Z");
    }
    insert(client, "contacts", rows).await;
}

const OWN: [&str; 21] = [
    "id",
    "kind",
    "name",
    "companyId",
    "email",
    "phone",
    "city",
    "country",
    "emails",
    "phones",
    "addresses",
    "birthday",
    "tags",
    "customFields",
    "notes",
    "externalId",
    "createdById",
    "createdAt",
    "updatedAt",
    "revision",
    "deletedAt",
];

/// All nodes of a list, walked in pages.
async fn nodes(client: &Client, filter: &Value, order: &Value) -> Vec<Value> {
    let query = "query ($where: ContactFilter, $orderBy: [ContactOrderBy!], $after: String) { \
        contacts(where: $where, orderBy: $orderBy, first: 200, after: $after) { nodes { \
        id kind name companyId email phone city country emails { address label } phones { number label } \
        addresses { street postalCode city region country label } birthday tags customFields notes externalId createdById createdAt updatedAt revision deletedAt \
        company { id name country tags } createdBy { email } } pageInfo { hasNextPage endCursor } } }";
    let (mut nodes, mut after) = (vec![], Value::Null);
    loop {
        let variables = json!({ "where": filter, "orderBy": order, "after": after });
        let answer = client.run(query, variables).await;
        let page = answer.ok("/data/contacts");
        nodes.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// What stands in the cell of a column, by what the list answers.
fn cell(node: &Value, column: &str) -> String {
    let value = column.split('.').fold(node, |value, step| &value[step]);
    let key = match column {
        "emails" => "address",
        "phones" => "number",
        _ => "city",
    };
    let several = |values: &[Value]| {
        let texts: Option<Vec<&str>> = values
            .iter()
            .map(|value| match value {
                // What has more than a text to say is JSON.
                Value::Object(part) if part.iter().all(|(name, line)| name == key || line.is_null()) => {
                    part[key].as_str()
                }
                value => value.as_str(),
            })
            .collect();
        // A semicolon that belongs to a text is told from one between two.
        let escaped = |text: &&str| text.replace(';', "\\;");
        match texts {
            Some(texts) => texts.iter().map(escaped).collect::<Vec<_>>().join("; "),
            None => {
                let known = |part: &Value| -> Value {
                    let lines = part.as_object().unwrap().clone().into_iter();
                    Value::Object(lines.filter(|(_, line)| !line.is_null()).collect())
                };
                Value::Array(values.iter().map(known).collect()).to_string()
            }
        }
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) if column.ends_with("At") => text.replace("+00:00", "Z"),
        Value::String(text) => text.clone(),
        Value::Array(values) => several(values),
        other => other.to_string(),
    }
}

/// An export has exactly the rows of the list, in its order.
async fn same(client: &Client, filter: Value, order: Value, columns: &[&str]) -> usize {
    let (where_text, order_text, columns_text) = (filter.to_string(), order.to_string(), columns.join(","));
    let asked = [("where", where_text.as_str()), ("orderBy", &order_text), ("columns", &columns_text)];
    let (header, rows) = export(client, "contacts.csv", &asked).await.sheet();
    assert_eq!(header, columns);
    let nodes = nodes(client, &filter, &order).await;
    assert_eq!(rows.len(), nodes.len(), "{filter} {order}");
    for (row, node) in rows.iter().zip(&nodes) {
        let expected: Vec<String> = columns.iter().map(|column| cell(node, column)).collect();
        assert_eq!(*row, expected, "{filter} {order}");
    }
    rows.len()
}

#[tokio::test]
async fn an_export_has_the_rows_of_the_list_in_its_order() {
    let (mut rng, client) = (Rng::new(), organisation().await);
    contacts(&mut rng, &client, 8, 40).await;
    let everything: Vec<&str> =
        [&OWN[..], &["company.name", "company.country", "company.id", "company.tags", "createdBy.email"]]
            .concat();
    let filters = [
        json!({}),
        json!({ "name": { "contains": "\"" } }),
        json!({ "or": [{ "company": { "name": { "eq": "Ash" } } }, { "not": { "email": { "isNull": true } } }] }),
        json!({ "tags": { "has": "from afar" }, "kind": { "eq": "PERSON" } }),
        json!({ "name": { "eq": "nobody" } }),
    ];
    let orders = [
        json!([]),
        json!([{ "name": "DESC" }]),
        json!([{ "company": { "name": "ASC" } }, { "city": "DESC" }]),
        json!([{ "createdBy": { "email": "DESC" } }, { "company": { "country": "ASC" } }]),
    ];
    let mut seen = 0;
    for filter in &filters {
        for order in &orders {
            seen += same(&client, filter.clone(), order.clone(), &everything).await;
            let mut some = vec![rng.one(&everything), rng.one(&everything)];
            some.dedup();
            same(&client, filter.clone(), order.clone(), &some).await;
        }
    }
    assert!(seen > 100, "the filters let something through");
}

#[tokio::test]
async fn an_export_of_several_thousand_rows_has_every_row_once() {
    let (mut rng, client) = (Rng::new(), organisation().await);
    contacts(&mut rng, &client, 100, 2400).await;
    for order in [
        json!([]),
        json!([{ "company": { "name": "DESC" } }]),
        json!([{ "name": "ASC" }, { "country": "ASC" }]),
    ] {
        let rows = same(&client, json!({}), order.clone(), &["id", "name", "company.name"]).await;
        assert!(rows > 2000, "{rows}");
        let asked = [("orderBy", order.to_string()), ("columns", "id".to_owned())];
        let asked = [("orderBy", asked[0].1.as_str()), ("columns", asked[1].1.as_str())];
        let mut ids = export(&client, "contacts.csv", &asked).await.rows();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rows, "{order}");
    }
    // Exactly as many as are read at a time, one fewer, and one more.
    for count in [999, 1000, 1001] {
        let client = organisation().await;
        let rows = (0..count).map(|number| blank("COMPANY", &format!("Company {number}"))).collect();
        insert(&client, "contacts", rows).await;
        assert_eq!(export(&client, "contacts.csv", &[("columns", "name")]).await.rows().len(), count);
    }
}

#[tokio::test]
async fn an_export_says_what_it_is_and_names_all_columns_unless_told() {
    let client = organisation().await;
    let empty = export(&client, "contacts.csv", &[]).await;
    assert_eq!(empty.content_type, "text/csv; charset=utf-8");
    assert_eq!(empty.disposition, "attachment; filename=\"contacts.csv\"");
    let (header, rows) = empty.sheet();
    // What repeats a part of another field is left out, and companies are named.
    let repeated = ["email", "phone", "city", "country"];
    let default = OWN.iter().filter(|column| !repeated.contains(column));
    let default = default.map(|column| column.replace("companyId", "company.name"));
    assert_eq!((header, rows.len()), (default.collect(), 0));
    let (header, rows) = export(&client, "products.csv", &[]).await.sheet();
    assert!(header.contains(&"clientPrice".to_owned()) && rows.is_empty(), "{header:?}");
    let email = client.log_in["user"]["email"].as_str().unwrap();
    let users = export(&client, "users.csv", &[("columns", "email, active ,name")]).await;
    assert_eq!(
        users.sheet(),
        (
            ["email", "active", "name"].map(str::to_owned).to_vec(),
            vec![[email, "true", "Ada Test"].map(str::to_owned).to_vec()],
        )
    );
}

#[tokio::test]
async fn whatever_stands_in_a_text_stands_in_its_cell() {
    let client = organisation().await;
    let texts = [
        "plain",
        "a,b",
        "\"quoted\"",
        "\"",
        "\"\"",
        "two\nlines",
        "two\r\nlines",
        "a;b",
        "=1+1",
        "'",
        "\ttab",
        "Grüße, 東京 🙂",
        "#",
        "\\",
        "\\\"",
        "a\rb",
    ];
    for text in texts {
        let mut row = blank("COMPANY", "x");
        row["notes"] = json!(text);
        insert(&client, "contacts", vec![row]).await;
    }
    insert(&client, "contacts", vec![blank("COMPANY", "x")]).await;
    let rows = export(&client, "contacts.csv", &[("columns", "notes,name")]).await.rows();
    let mut exported: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let mut expected = [&texts[..], &[""]].concat();
    exported.sort_unstable();
    expected.sort_unstable();
    assert_eq!(exported, expected);
    // A row with nothing in its only cell is still a row, and not a blank line.
    let alone = export(&client, "contacts.csv", &[("columns", "notes")]).await;
    assert_eq!(alone.rows().len(), texts.len() + 1, "{}", alone.text);
}
