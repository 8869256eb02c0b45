//! Rows in the database, and the same rows in memory.
//!
//! They are written past the service, so that a mistake of its mutations cannot hide one of its
//! lists. Few different values, so that ties and nulls are everywhere. Texts are of letters whose
//! order every collation agrees on.

use domain_crm::{Contact, Product};
use domain_identity::User;
use listing::{Id, Identified};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select, subsequence},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::tables::{CREATOR, Table};
use crate::harness::{Client, server, superuser, unique_email, uuid};

/// A row by its fields, as GraphQL answers them.
pub(super) type Row = Map<String, Value>;

pub(super) const TEXTS: &[&str] = &["_", "a", "a_b", "aa", "ab", "abc", "b", "ba", "bc", "c"];
pub(super) const INSTANTS: &[&str] = &[
    "2024-02-29T23:59:59+00:00",
    "2024-02-29T23:59:59.000001+00:00",
    "2024-02-29T23:59:59.500+00:00",
    "2025-01-01T00:00:00+00:00",
    "2031-12-31T12:00:00Z",
];
pub(super) const DAYS: &[&str] = &["1899-12-31", "1970-01-01", "2000-02-29", "2000-03-01"];
/// Some are equal, and written differently.
pub(super) const AMOUNTS: &[&str] = &["0", "0.5", "0.50", "1", "1.0000", "1.25", "12", "12345678.9999"];
/// Also what filters ask of such a field, so not all of these are objects.
pub(super) const JSONS: &[&str] = &[
    "{}",
    r#"{"a":1}"#,
    r#"{"a":1,"b":"x"}"#,
    r#"{"a":null}"#,
    r#"{"c":{"d":true}}"#,
    r#"{"c":{"d":true,"e":[1]},"a":2}"#,
    r#"{"c":[1,[2,"x"],{"a":1}]}"#,
    r#"{"c":[{"a":1}]}"#,
    r#"{"c":[]}"#,
    "[]",
    "1",
    r#""x""#,
];
/// As many of them are objects.
const OBJECTS: usize = 9;
const COMPANIES: usize = 18;
const PEOPLE: usize = 50;
const PRODUCTS: usize = 50;
const CREATORS: usize = 3;
pub(super) const ROLES: &[&str] = &["MANAGER", "STAFF", "USER"];

/// The rows of an organisation, deleted ones among them.
#[derive(Clone, Debug)]
pub(super) struct Fixture {
    contacts: Vec<Row>,
    products: Vec<Row>,
    users: Vec<Row>,
}

impl Fixture {
    /// All rows.
    pub(super) fn rows(&self, table: &Table) -> &[Row] {
        match table.name {
            "Contact" => &self.contacts,
            "Product" => &self.products,
            _ => &self.users,
        }
    }

    /// The rows that are not deleted.
    pub(super) fn live(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.rows(table).iter().filter(|row| row["deletedAt"].is_null())
    }

    /// The row with this id, unless it is deleted.
    pub(super) fn find(&self, table: &Table, id: &Value) -> Option<&Row> {
        self.live(table).find(|row| row["id"] == *id)
    }

    /// Ids of rows, deleted ones among them.
    pub(super) fn ids(&self, table: &Table) -> Vec<Value> {
        self.rows(table).iter().map(|row| row["id"].clone()).collect()
    }

    /// Writes the rows into the organisation of this client.
    pub(super) async fn write(&self, client: &Client) {
        let organisation = client.organisation_id();
        let mut superuser = superuser(server().addresses.database()).await;
        let transaction = superuser.transaction().await.unwrap();
        let setting = format!("SET LOCAL app.organisation_id = '{organisation}'");
        transaction.batch_execute(&setting).await.unwrap();
        for user in &self.users {
            let account = Uuid::now_v7();
            let sql =
                format!("INSERT INTO accounts (id, email, password_hash) VALUES ('{account}', $1, 'none')");
            transaction.execute(&sql, &[&unique_email()]).await.unwrap();
            let sql = format!(
                "INSERT INTO users (account_id, {USER_COLUMNS}) SELECT '{account}', {USER_COLUMNS}
                 FROM jsonb_populate_recordset(NULL::users, $1::text::jsonb)"
            );
            transaction.execute(&sql, &[&json!([stored(user)]).to_string()]).await.unwrap();
        }
        for (table, columns, rows) in
            [("contacts", CONTACT_COLUMNS, &self.contacts), ("products", PRODUCT_COLUMNS, &self.products)]
        {
            let sql = format!(
                "INSERT INTO {table} ({columns})
                 SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
            );
            let rows: Value = rows.iter().map(stored).collect();
            transaction.execute(&sql, &[&rows.to_string()]).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}

const USER_COLUMNS: &str = "id, created_at, updated_at, created_by, revision, deleted_at, \
    name, first_name, last_name, email, roles, active";
const CONTACT_COLUMNS: &str = "id, created_at, updated_at, created_by, revision, deleted_at, \
    kind, name, company_id, emails, phones, addresses, birthday, tags, custom_fields, notes, external_id";
const PRODUCT_COLUMNS: &str = "id, created_at, updated_at, created_by, revision, deleted_at, \
    name, category, our_cost, client_price, unit, active, external_id";

/// A row as the table holds it.
fn stored(row: &Row) -> Value {
    let mut stored = Map::new();
    for (field, value) in row {
        let column = if field == CREATOR { "created_by".to_owned() } else { snake(field) };
        let value = match value {
            Value::String(id) if matches!(&*column, "id" | "company_id" | "created_by") => json!(uuid(id)),
            Value::Array(parts) if column == "addresses" => parts.iter().map(without_blanks).collect(),
            value => value.clone(),
        };
        stored.insert(column, value);
    }
    Value::Object(stored)
}

/// A part as its table holds it: what it does not have is not there.
fn without_blanks(part: &Value) -> Value {
    let fields = part.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    Value::Object(fields.map(|(field, value)| (snake(field), value.clone())).collect())
}

fn snake(field: &str) -> String {
    let letter = |letter: char| {
        if letter.is_uppercase() { format!("_{}", letter.to_ascii_lowercase()) } else { letter.to_string() }
    };
    field.chars().map(letter).collect()
}

fn text() -> impl Strategy<Value = Value> {
    select(TEXTS).prop_map(Value::from)
}

fn maybe_text() -> impl Strategy<Value = Value> {
    option::weighted(0.7, text()).prop_map(Value::from)
}

fn instant() -> impl Strategy<Value = Value> {
    select(INSTANTS).prop_map(|text| json!(listing::Instant(text.parse().unwrap()).text()))
}

fn id<E: Identified>(uuid: u128) -> Value {
    json!(async_graphql::ID::from(&Id::<E>::from(Uuid::from_u128(uuid))).0)
}

/// What every row has. `creators` are the ids of users.
fn life<E: Identified>(creators: Vec<Value>) -> impl Strategy<Value = Row> {
    let creator = option::weighted(0.8, any::<Index>());
    let deleted = option::weighted(0.1, instant());
    let parts = (any::<u128>(), instant(), instant(), creator, 1..5, deleted);
    parts.prop_map(move |(uuid, created, updated, creator, revision, deleted)| {
        let creator = creator.filter(|_| !creators.is_empty()).map(|creator| creator.get(&creators).clone());
        row(json!({
            "id": id::<E>(uuid), "createdAt": created, "updatedAt": updated, "revision": revision,
            "deletedAt": deleted, CREATOR: creator,
        }))
    })
}

fn row(value: Value) -> Row {
    if let Value::Object(row) = value { row } else { Row::new() }
}

fn with(mut row: Row, more: Value) -> Row {
    row.extend(self::row(more));
    row
}

fn user(creators: Vec<Value>) -> impl Strategy<Value = Row> {
    let own = (text(), maybe_text(), maybe_text(), text(), subsequence(ROLES, 0..=3), any::<bool>());
    (life::<User>(creators), own).prop_map(|(life, (name, first, last, email, roles, active))| {
        with(
            life,
            json!({
                "name": name, "firstName": first, "lastName": last, "email": email, "roles": roles,
                "active": active,
            }),
        )
    })
}

fn product(creators: Vec<Value>) -> impl Strategy<Value = Row> {
    let amount = || select(AMOUNTS);
    let own = (text(), maybe_text(), amount(), amount(), maybe_text(), any::<bool>());
    (life::<Product>(creators), own).prop_map(|(life, (name, category, cost, price, unit, active))| {
        let own = json!({
            "name": name, "category": category, "ourCost": cost, "clientPrice": price,
            "margin": difference(price, cost), "unit": unit, "active": active,
            "externalId": external_id(&life),
        });
        with(life, own)
    })
}

/// A decimal in ten-thousandths, and how many digits stand behind its point.
pub(super) fn amount(text: &str) -> (i64, usize) {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    (format!("{whole}{rest:0<4}").parse().unwrap(), rest.len())
}

/// As PostgreSQL writes it: with as many digits behind the point as the longer of the two.
fn difference(price: &str, cost: &str) -> String {
    let ((price, one), (cost, other)) = (amount(price), amount(cost));
    let difference = price - cost;
    let sign = if difference < 0 { "-" } else { "" };
    let digits = format!("{:05}", difference.abs());
    let (whole, rest) = digits.split_at(digits.len() - 4);
    let rest = &rest[..one.max(other)];
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

fn labelled(key: &'static str) -> impl Strategy<Value = Value> {
    let part = (text(), maybe_text()).prop_map(move |(text, label)| json!({ key: text, "label": label }));
    vec(part, 0..3).prop_map(Value::from)
}

fn addresses() -> impl Strategy<Value = Value> {
    let lines = (text(), maybe_text(), maybe_text(), maybe_text());
    let part = lines.prop_map(|(street, city, country, label)| {
        json!({
            "street": street, "postalCode": null, "city": city, "region": null, "country": country,
            "label": label,
        })
    });
    vec(part, 0..3).prop_map(Value::from)
}

/// An id that no other row has; some have none.
fn external_id(row: &Row) -> Value {
    let id = row["id"].as_str().unwrap();
    if id.ends_with(|last: char| last.is_ascii_digit()) { json!(format!("erp:{id}")) } else { Value::Null }
}

/// A contact; with `companies` a person, who may be of one of them.
fn contact(creators: Vec<Value>, companies: Option<Vec<Value>>) -> impl Strategy<Value = Row> {
    let lists = (labelled("address"), labelled("number"), addresses());
    let tags = subsequence(TEXTS, 0..4).prop_map(|tags| json!(tags));
    let own = (text(), option::of(select(DAYS)), select(&JSONS[..OBJECTS]), maybe_text());
    let company = option::weighted(0.8, any::<Index>());
    (life::<Contact>(creators), lists, tags, own, company).prop_map(
        move |(life, (emails, phones, addresses), tags, (name, birthday, custom, notes), company)| {
            let kind = if companies.is_some() { "PERSON" } else { "COMPANY" };
            let company = company.zip(companies.as_ref()).map(|(company, ids)| company.get(ids).clone());
            let custom: Value = serde_json::from_str(custom).unwrap();
            let first = |list: &Value, key: &str| list[0][key].clone();
            let primary = json!({
                "email": first(&emails, "address"), "phone": first(&phones, "number"),
                "city": first(&addresses, "city"), "country": first(&addresses, "country"),
            });
            let own = json!({
                "kind": kind, "name": name, "companyId": company, "emails": emails, "phones": phones,
                "addresses": addresses, "birthday": birthday, "tags": tags, "customFields": custom,
                "notes": notes, "externalId": external_id(&life),
            });
            with(with(life, own), primary)
        },
    )
}

fn ids(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(|row| row["id"].clone()).collect()
}

/// A fixture of random rows.
pub(super) fn fixture() -> impl Strategy<Value = Fixture> {
    vec(user(vec![]), CREATORS)
        .prop_flat_map(|made| {
            // Users are made by users too, of whom one is gone.
            let creators = ids(&made);
            let gone = Just(made[0].clone())
                .prop_map(|row| with(row, json!({ "deletedAt": "2031-12-31T12:00:00Z" })));
            let others = vec(user(creators), CREATORS);
            (gone, Just(made[1..].to_vec()), others)
        })
        .prop_flat_map(|(gone, made, others)| {
            let users = [vec![gone], made, others].concat();
            let creators = ids(&users);
            let companies = vec(contact(creators.clone(), None), COMPANIES);
            (Just(users), companies, vec(product(creators), PRODUCTS))
        })
        .prop_flat_map(|(users, companies, products)| {
            let people = vec(contact(ids(&users), Some(ids(&companies))), PEOPLE);
            (Just(users), Just(companies), people, Just(products))
        })
        .prop_map(|(users, companies, people, products)| Fixture {
            contacts: [companies, people].concat(),
            products,
            users,
        })
}
