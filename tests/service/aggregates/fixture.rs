//! Random rows, in the database and in memory.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cell::{Cell, Kind},
    clock, insert,
    model::{Field, Row},
    request::{CONTACTS, Entity, PRODUCTS},
    rng::Rng,
};
use crate::{
    aggregates::ZONES,
    harness::{Client, organisation, uuid},
};

/// Few words, so that groups have several rows; with capitals, because those differ.
/// Addresses are equal without regard to case, so none differs from another by that alone.
const ADDRESSES: [&str; 4] = ["ash", "birch", "elm", "yew"];
const WORDS: [&str; 7] = ["ash", "Ash", "birch", "Cedar", "cedar bark", "elm", "Yew"];
/// Amounts of every length; equal ones are written differently.
const AMOUNTS: [&str; 12] = [
    "0",
    "0.0000",
    "1",
    "1.0",
    "1.5",
    "1.50",
    "0.0001",
    "19.99",
    "333.3333",
    "1000",
    "999999999.9999",
    "7.25",
];

const fn field(path: &'static str, kind: Kind) -> Field {
    Field { path, kind }
}

const CONTACT_FIELDS: &[Field] = &[
    field("kind", Kind::Choice),
    field("name", Kind::Text),
    field("companyId", Kind::Id("contact")),
    field("email", Kind::Text),
    field("city", Kind::Text),
    field("country", Kind::Text),
    field("birthday", Kind::Date),
    field("createdAt", Kind::Instant),
];
const COMPANY_FIELDS: &[Field] = &[
    field("company.kind", Kind::Choice),
    field("company.name", Kind::Text),
    field("company.country", Kind::Text),
    field("company.createdAt", Kind::Instant),
];
const PRODUCT_FIELDS: &[Field] = &[
    field("name", Kind::Text),
    field("category", Kind::Text),
    field("ourCost", Kind::Number),
    field("clientPrice", Kind::Number),
    field("margin", Kind::Number),
    field("unit", Kind::Text),
    field("active", Kind::Bool),
    field("createdAt", Kind::Instant),
];
const CREATOR: Field = field("createdBy.email", Kind::Text);

/// An organisation with rows of one entity.
pub(super) struct Fixture {
    pub(super) client: Client,
    pub(super) entity: Entity,
    /// Those that clients see.
    pub(super) rows: Vec<Row>,
    /// The fields of the rows themselves.
    pub(super) own: Vec<Field>,
    /// Those of related rows.
    pub(super) related: Vec<Field>,
}

/// The users of an organisation: their ids and e-mails.
type Users = Vec<(Uuid, String)>;

async fn people() -> (Client, Users) {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    let user = |client: &Client| {
        let user = &client.log_in["user"];
        (uuid(user["id"].as_str().unwrap()), user["email"].as_str().unwrap().to_owned())
    };
    let users = vec![user(&admin), user(&colleague)];
    (admin, users)
}

/// One that is null now and then.
fn word(rng: &mut Rng) -> Option<&'static str> {
    (!rng.once_in(4)).then(|| rng.one(&WORDS))
}

/// Some instant of two decades, often close to one at which clocks were set somewhere.
fn instant(rng: &mut Rng) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_104_537_600, 0).unwrap();
    let anywhere = start + TimeDelta::seconds(rng.below(18 * 365 * 86_400));
    let near = clock::changes(rng.one(&ZONES), 2010..2013);
    let at = if near.is_empty() || rng.once_in(2) { anywhere } else { rng.one(&near) };
    at + TimeDelta::microseconds(rng.below(7_200_000_000) - 3_600_000_000)
}

fn birthday(rng: &mut Rng) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1999, 11, 28).unwrap();
    (!rng.once_in(4)).then(|| first + TimeDelta::days(rng.below(500)))
}

fn creator(rng: &mut Rng, users: &Users) -> (Value, Cell) {
    if rng.once_in(4) {
        return (Value::Null, Cell::Null);
    }
    let (id, email) = rng.one(users);
    (json!(id), Cell::Text(email))
}

/// What nobody may count: rows of another organisation, and deleted ones.
async fn disguised(client: &Client, table: &str, rows: &[Value]) {
    let other = organisation().await;
    let copy = |row: &Value| {
        let mut copy = row.clone();
        copy["id"] = json!(Uuid::now_v7());
        copy["company_id"] = Value::Null;
        copy["created_by"] = Value::Null;
        copy
    };
    let (mut theirs, mut gone) = (vec![], vec![]);
    for row in rows {
        theirs.push(copy(row));
        gone.push(copy(row));
        gone.last_mut().unwrap()["deleted_at"] = json!("2025-01-01T00:00:00Z");
    }
    for rows in [&mut theirs, &mut gone] {
        for row in rows {
            if table == "products" {
                row.as_object_mut().unwrap().remove("company_id");
            }
        }
    }
    insert(&other, table, theirs).await;
    insert(client, table, gone).await;
}

struct Contact {
    stored: Value,
    row: Row,
    is_deleted: bool,
}

fn contact(rng: &mut Rng, users: &Users, company: Option<&Contact>, is_company: bool) -> Contact {
    let kind = if is_company { "COMPANY" } else { "PERSON" };
    let (name, city, country) = (rng.one(&WORDS), word(rng), word(rng));
    let email = (!rng.once_in(4)).then(|| rng.one(&ADDRESSES));
    let (at, birthday, (created_by, creator)) = (instant(rng), birthday(rng), creator(rng, users));
    let (id, revision) = (Uuid::now_v7(), 1 + rng.below(3));
    let company_id = company.map(|company| company.stored["id"].clone());
    let is_deleted = is_company && rng.once_in(4);
    let stored = json!({
        "id": id, "kind": kind, "company_id": company_id, "name": name, "birthday": birthday,
        "emails": email.map_or(json!([]), |email| json!([{ "address": email }])), "phones": [],
        "addresses": [{ "city": city, "country": country }], "tags": [], "custom_fields": {},
        "created_at": at, "updated_at": at, "created_by": created_by, "revision": revision,
        "deleted_at": is_deleted.then_some("2025-01-01T00:00:00Z"),
    });
    // A deleted company is nobody's, although its id still stands in the row.
    let seen = company.filter(|company| !company.is_deleted);
    let theirs = |field: &str| seen.map_or(Cell::Null, |company| company.row[field].clone());
    let row = Row::from([
        ("id", Cell::Id(id)),
        ("kind", Cell::text(Some(kind))),
        ("name", Cell::text(Some(name))),
        ("companyId", company.map_or(Cell::Null, |company| company.row["id"].clone())),
        ("email", Cell::text(email)),
        ("city", Cell::text(city)),
        ("country", Cell::text(country)),
        ("birthday", birthday.map_or(Cell::Null, Cell::Date)),
        ("createdAt", Cell::Instant(at)),
        ("revision", Cell::Number(revision.into())),
        ("company.kind", theirs("kind")),
        ("company.name", theirs("name")),
        ("company.country", theirs("country")),
        ("company.createdAt", theirs("createdAt")),
        ("createdBy.email", creator),
    ]);
    Contact { stored, row, is_deleted }
}

/// So many contacts, about a quarter of them companies and some of those deleted.
pub(super) async fn contacts(rng: &mut Rng, count: usize) -> Fixture {
    let (client, users) = people().await;
    let companies: Vec<Contact> = (0..count / 4).map(|_| contact(rng, &users, None, true)).collect();
    let mut all = vec![];
    for _ in companies.len()..count {
        let company = (!companies.is_empty() && !rng.once_in(4)).then(|| rng.count(companies.len()));
        all.push(contact(rng, &users, company.map(|place| &companies[place]), false));
    }
    all.extend(companies);
    let stored: Vec<Value> = all.iter().map(|contact| contact.stored.clone()).collect();
    insert(&client, "contacts", stored.clone()).await;
    disguised(&client, "contacts", &stored).await;
    let rows = all.into_iter().filter(|contact| !contact.is_deleted).map(|contact| contact.row).collect();
    let related = COMPANY_FIELDS.iter().copied().chain([CREATOR]).collect();
    Fixture { client, entity: CONTACTS, rows, own: CONTACT_FIELDS.to_vec(), related }
}

/// So many products.
pub(super) async fn products(rng: &mut Rng, count: usize) -> Fixture {
    let (client, users) = people().await;
    let (mut rows, mut stored) = (vec![], vec![]);
    for _ in 0..count {
        let (name, category, unit) = (rng.one(&WORDS), word(rng), word(rng));
        let (cost, price, active) = (rng.one(&AMOUNTS), rng.one(&AMOUNTS), rng.once_in(2));
        let (at, (created_by, creator)) = (instant(rng), creator(rng, &users));
        let (id, revision) = (Uuid::now_v7(), 1 + rng.below(3));
        stored.push(json!({
            "id": id, "name": name, "category": category, "unit": unit, "our_cost": cost,
            "client_price": price, "active": active, "created_at": at, "updated_at": at,
            "created_by": created_by, "revision": revision, "deleted_at": Value::Null,
        }));
        let margin = price.parse::<BigDecimal>().unwrap() - cost.parse::<BigDecimal>().unwrap();
        rows.push(Row::from([
            ("name", Cell::text(Some(name))),
            ("category", Cell::text(category)),
            ("ourCost", Cell::number(cost)),
            ("clientPrice", Cell::number(price)),
            ("margin", Cell::Number(margin)),
            ("unit", Cell::text(unit)),
            ("active", Cell::Bool(active)),
            ("createdAt", Cell::Instant(at)),
            ("revision", Cell::Number(revision.into())),
            ("createdBy.email", creator),
        ]));
    }
    insert(&client, "products", stored.clone()).await;
    disguised(&client, "products", &stored).await;
    Fixture { client, entity: PRODUCTS, rows, own: PRODUCT_FIELDS.to_vec(), related: vec![CREATOR] }
}
