//! Buckets of time in zones that set their clocks, held against chrono-tz.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ZONES,
    cell::{Cell, Kind},
    clock::{self, UNITS, Unit},
    compare, insert,
    model::{Bucket, Field, Filter, Function, Key, Measure, Operator, Question, Row},
    request::{CONTACTS, PRODUCTS},
    rng::Rng,
};
use crate::{
    door::eventually,
    harness::{Client, organisation, server, superuser},
};

const CREATED: Field = Field { path: "createdAt", kind: Kind::Instant };
const CATEGORY: Field = Field { path: "category", kind: Kind::Text };
const UNIT: Field = Field { path: "unit", kind: Kind::Text };
const PRICE: Field = Field { path: "clientPrice", kind: Kind::Number };
const MEASURES: [Measure; 4] = [
    Measure { function: Function::CountDistinct, field: PRICE },
    Measure { function: Function::Sum, field: PRICE },
    Measure { function: Function::Min, field: CREATED },
    Measure { function: Function::Max, field: CREATED },
];

/// The instants in a zone at which something may go wrong: when its clocks were set, and the
/// midnights around that.
fn moments(rng: &mut Rng, zone: Tz) -> Vec<DateTime<Utc>> {
    let mut changes = clock::changes(zone, 2008..2020);
    if changes.is_empty() {
        changes.push(DateTime::from_timestamp(1_330_473_600 + rng.below(86_400), 0).unwrap());
    }
    let mut moments = vec![];
    // The year in which Samoa left out a day is always among them.
    let mut chosen: Vec<_> =
        changes.iter().copied().filter(|at| at.to_rfc3339().starts_with("2011")).collect();
    chosen.push(rng.one(&changes));
    for change in chosen {
        moments.push(change);
        for days in -1..=2 {
            moments.push(Unit::Day.key(zone, change + TimeDelta::days(days)));
        }
    }
    moments
}

/// Some instant near one of these, often exactly at it, or just before.
fn near(rng: &mut Rng, moments: &[DateTime<Utc>]) -> DateTime<Utc> {
    let moment = rng.one(moments);
    match rng.below(6) {
        0 => moment,
        1 => moment - TimeDelta::microseconds(1),
        2 => moment + TimeDelta::minutes(15 * (rng.below(17) - 8)),
        3 => moment + TimeDelta::hours(rng.below(60) - 30),
        _ => moment + TimeDelta::microseconds(rng.below(14_400_000_000) - 7_200_000_000),
    }
}

/// Products that were added at these instants, all in one category.
async fn products(rng: &mut Rng, client: &Client, category: &str, added: &[DateTime<Utc>]) -> Vec<Row> {
    let (mut rows, mut stored) = (vec![], vec![]);
    for at in added {
        let (unit, price) = (rng.one(&[None, Some("box"), Some("jar")]), rng.one(&["1.5", "2", "2.00"]));
        stored.push(json!({
            "id": Uuid::now_v7(), "name": "Tea", "category": category, "unit": unit, "our_cost": "0",
            "client_price": price, "active": true, "created_at": at, "updated_at": at, "revision": 1,
        }));
        rows.push(Row::from([
            (CATEGORY.path, Cell::text(Some(category))),
            (UNIT.path, Cell::text(unit)),
            (PRICE.path, Cell::number(price)),
            (CREATED.path, Cell::Instant(*at)),
        ]));
    }
    insert(client, "products", stored).await;
    rows
}

fn question(category: &str, unit: Unit, zone: Tz, range: Option<(Cell, Cell)>) -> Question {
    let bucket = Some(Bucket { unit, zone, range });
    Question {
        filter: Filter::Is(CATEGORY, Operator::Eq, Cell::text(Some(category))),
        keys: vec![Key { field: CREATED, bucket }],
        measures: MEASURES.to_vec(),
        having: vec![],
        order: vec![],
        first: None,
    }
}

async fn check(client: &Client, rows: &[Row], question: &Question) {
    let answer = question.ask(client, PRODUCTS).await;
    let answered = question.read(answer.ok("/data/productsAggregate"));
    compare(question, &question.answer(rows), &answered);
}

#[tokio::test]
async fn rows_lie_in_the_bucket_that_the_clock_on_the_wall_shows() {
    let (mut rng, client) = (Rng::new(), organisation().await);
    for zone in ZONES {
        let moments = moments(&mut rng, zone);
        let added: Vec<_> = (0..40).map(|_| near(&mut rng, &moments)).collect();
        let rows = products(&mut rng, &client, zone.name(), &added).await;
        for unit in UNITS {
            check(&client, &rows, &question(zone.name(), unit, zone, None)).await;
        }
    }
}

/// How long the ranges of this unit are at most: many buckets, and fewer groups than are answered.
fn reach(unit: Unit) -> TimeDelta {
    TimeDelta::days(match unit {
        Unit::Hour => 4,
        Unit::Day => 40,
        Unit::Week => 200,
        Unit::Month | Unit::Quarter => 1000,
        Unit::Year => 3000,
    })
}

#[tokio::test]
async fn every_bucket_of_a_range_is_answered_and_nothing_outside_counts() {
    let (mut rng, client) = (Rng::new(), organisation().await);
    for zone in ZONES {
        let moments = moments(&mut rng, zone);
        let added: Vec<_> = (0..60).map(|_| near(&mut rng, &moments)).collect();
        let rows = products(&mut rng, &client, zone.name(), &added).await;
        for unit in UNITS {
            for _ in 0..6 {
                let from = near(&mut rng, &moments);
                let to = near(&mut rng, &moments).min(from + reach(unit));
                let to =
                    if to > from { to } else { from + TimeDelta::microseconds(1 + rng.below(9_000_000_000)) };
                let range = Some((Cell::Instant(from), Cell::Instant(to)));
                let mut question = question(zone.name(), unit, zone, range);
                if rng.once_in(2) {
                    question.keys.push(Key { field: UNIT, bucket: None });
                    question.tidy();
                }
                if rng.once_in(4) {
                    question.having.push((None, Operator::Eq, Cell::count(0)));
                }
                check(&client, &rows, &question).await;
            }
        }
    }
}

#[tokio::test]
async fn buckets_where_clocks_do_strange_things_are_these() {
    let (mut rng, client) = (Rng::new(), organisation().await);
    // In Havana midnight came twice, at 04:00 and at 05:00 of UTC; in Cairo it was left out; in Samoa
    // the day after the 29th was the 31st; on Lord Howe the hour at one lasted an hour and a half, half
    // an hour of it with clocks set back; in Vienna the hour at two came twice, and once not at all.
    let cases: [(Tz, Unit, &str, &str, &[&str]); 9] = [
        (Tz::America__Havana, Unit::Day, "2012-11-03T12:00", "2012-11-04T05:00", &["03T04:00", "04T04:00"]),
        (Tz::America__Havana, Unit::Day, "2012-11-04T05:00", "2012-11-05T05:01", &["04T04:00", "05T05:00"]),
        (Tz::Africa__Cairo, Unit::Day, "2010-04-29T12:00", "2010-04-29T22:00", &["28T22:00"]),
        (Tz::Africa__Cairo, Unit::Day, "2010-04-29T21:59", "2010-04-29T22:01", &["28T22:00", "29T22:00"]),
        (
            Tz::Pacific__Apia,
            Unit::Day,
            "2011-12-30T09:00",
            "2011-12-31T11:00",
            &["29T10:00", "30T10:00", "31T10:00"],
        ),
        (
            Tz::Australia__Lord_Howe,
            Unit::Hour,
            "2012-03-31T14:10",
            "2012-03-31T15:31",
            &["31T14:00", "31T14:30", "31T15:30"],
        ),
        // From here on full hours would step over the half one.
        (
            Tz::Australia__Lord_Howe,
            Unit::Hour,
            "2012-03-31T14:40",
            "2012-03-31T16:40",
            &["31T14:00", "31T14:30", "31T15:30", "31T16:30"],
        ),
        (
            Tz::Europe__Vienna,
            Unit::Hour,
            "2012-10-27T23:59",
            "2012-10-28T02:01",
            &["27T23:00", "28T00:00", "28T01:00", "28T02:00"],
        ),
        (Tz::Europe__Vienna, Unit::Hour, "2012-03-25T00:30", "2012-03-25T01:30", &["25T00:00", "25T01:00"]),
    ];
    for (number, (zone, unit, from, to, expected)) in cases.into_iter().enumerate() {
        let instant = |text: &str| format!("{text}:00Z").parse::<DateTime<Utc>>().unwrap();
        let (from, to, month) = (instant(from), instant(to), &from[..8]);
        let expected: Vec<_> = expected.iter().map(|day| instant(&format!("{month}{day}"))).collect();
        let category = format!("case {number}");
        // One row at the very beginning, one at the very end, and two that do not count.
        let inside = [from, to - TimeDelta::microseconds(1)];
        let outside = [from - TimeDelta::microseconds(1), to];
        products(&mut rng, &client, &category, &[inside, outside].concat()).await;
        let question = question(&category, unit, zone, Some((Cell::Instant(from), Cell::Instant(to))));
        let groups = question.read(question.ask(&client, PRODUCTS).await.ok("/data/productsAggregate"));
        let keys: Vec<_> = groups.iter().map(|group| group.keys[0].clone()).collect();
        assert_eq!(keys, expected.into_iter().map(Cell::Instant).collect::<Vec<_>>(), "{zone} {unit:?}");
        let mut counts = vec![Cell::count(0); keys.len()];
        match counts.as_mut_slice() {
            [only] => *only = Cell::count(2),
            [first, .., last] => (*first, *last) = (Cell::count(1), Cell::count(1)),
            [] => {}
        }
        assert_eq!(
            groups.into_iter().map(|group| group.count).collect::<Vec<_>>(),
            counts,
            "{zone} {unit:?}"
        );
    }
}

#[tokio::test]
async fn a_bucket_begins_at_the_time_on_the_wall_of_the_zone_which_is_the_organisations_unless_given() {
    let client = organisation().await;
    let zone = format!(
        "UPDATE organisations SET time_zone = 'Europe/Vienna' WHERE id = '{}'",
        client.organisation_id()
    );
    superuser(server().addresses.database()).await.batch_execute(&zone).await.unwrap();
    let (mut rng, at) = (Rng::new(), "2025-12-31T23:30:00Z".parse().unwrap());
    products(&mut rng, &client, "Tea", &[at]).await;
    let query = "{ own: productsAggregate(groupBy: { createdAt: { bucket: YEAR } }) { key { createdAt } } \
                 york: productsAggregate(groupBy: { createdAt: { bucket: DAY, zone: \"America/New_York\" } }) { key { createdAt } } \
                 hour: productsAggregate(groupBy: { createdAt: { bucket: HOUR, zone: \"Asia/Kolkata\" } }) { key { createdAt } } }";
    let expected = json!({
        "own": [{ "key": { "createdAt": "2026-01-01T00:00:00+01:00" } }],
        "york": [{ "key": { "createdAt": "2025-12-31T00:00:00-05:00" } }],
        "hour": [{ "key": { "createdAt": "2026-01-01T05:00:00+05:30" } }],
    });
    // The organisation is remembered with the session, until it is told of the change.
    eventually("the zone of the organisation counts", async || {
        *client.run(query, json!({})).await.ok("/data") == expected
    })
    .await;
}

#[tokio::test]
async fn the_last_periods_end_with_the_current_one() {
    let client = organisation().await;
    let now = Utc::now();
    let mut rng = Rng::new();
    let added = [now, now - TimeDelta::days(70), now - TimeDelta::days(800), now + TimeDelta::days(2)];
    products(&mut rng, &client, "Tea", &added).await;
    let ask = async |bucket: &str| {
        let query = format!("{{ productsAggregate(groupBy: {{ createdAt: {{ {bucket} }} }}) {{ count }} }}");
        let answer = client.run(&query, json!({})).await;
        let groups = answer.ok("/data/productsAggregate").as_array().unwrap().clone();
        groups.iter().map(|group| group["count"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let months = ask("bucket: MONTH, last: 12").await;
    assert_eq!((months.len(), months.iter().sum::<u64>()), (12, 2), "{months:?}");
    assert_eq!(ask("bucket: YEAR, last: 1, zone: \"Pacific/Apia\"").await.len(), 1);
    let hours = ask("bucket: HOUR, last: 24").await;
    assert_eq!((hours.len(), hours.iter().sum::<u64>()), (24, 1), "{hours:?}");
    for wrong in ["last: 0", "last: -1", "last: 10002", "last: 2, from: \"2020-01-01T00:00:00Z\""] {
        let query = format!(
            "{{ productsAggregate(groupBy: {{ createdAt: {{ bucket: DAY, {wrong} }} }}) {{ count }} }}"
        );
        assert_eq!(
            client.run(&query, json!({})).await.errors(),
            ["BAD_REQUEST groupBy.createdAt"],
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_range_has_at_most_ten_thousand_buckets_whatever_their_length() {
    let client = organisation().await;
    let ask = async |unit: &str, from: &str, to: &str| {
        let query = "query ($by: ProductGroupBy!) { productsAggregate(groupBy: $by, first: 1) { count } }";
        let by = json!({ "createdAt": {
            "bucket": unit, "from": format!("{from}:00Z"), "to": format!("{to}:00Z"), "zone": "Europe/Vienna"
        } });
        client.run(query, json!({ "by": by })).await.errors()
    };
    let cases = [
        ("HOUR", "2020-01-01T00:00", "2021-02-20T15:00", "2021-02-20T17:00"),
        ("DAY", "2000-01-01T00:00", "2027-05-18T00:00", "2027-05-20T00:00"),
        ("WEEK", "2000-01-03T00:00", "2191-08-20T00:00", "2191-09-10T00:00"),
        ("MONTH", "1200-01-01T00:00", "2033-04-01T00:00", "2033-08-01T00:00"),
        ("QUARTER", "1200-01-01T00:00", "3699-10-01T00:00", "3700-10-01T00:00"),
    ];
    for (unit, from, most, more) in cases {
        assert!(ask(unit, from, most).await.is_empty(), "{unit}");
        assert_eq!(ask(unit, from, more).await, ["BAD_REQUEST groupBy.createdAt"], "{unit}");
    }
}

#[tokio::test]
async fn birthdays_are_cut_by_the_calendar_and_the_unknown_ones_are_a_group() {
    let client = organisation().await;
    let contact = |birthday: Option<&str>| {
        json!({
            "id": Uuid::now_v7(), "kind": "PERSON", "name": "Ada", "birthday": birthday, "emails": [],
            "phones": [], "addresses": [], "tags": [], "custom_fields": {}, "revision": 1,
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        })
    };
    let days = [None, None, Some("2000-02-29"), Some("2000-01-02"), Some("1999-12-31")];
    insert(&client, "contacts", days.into_iter().map(contact).collect()).await;
    let ask = async |bucket: Value| {
        let document = CONTACTS.document("count key { birthday }");
        let answer = client.run(&document, json!({ "groupBy": { "birthday": bucket } })).await;
        let groups = answer.ok(&CONTACTS.pointer()).as_array().unwrap().clone();
        groups
            .iter()
            .map(|group| format!("{} {}", group["key"]["birthday"], group["count"]))
            .collect::<Vec<_>>()
    };
    // The second of January 2000 was a Sunday.
    assert_eq!(ask(json!({ "bucket": "WEEK" })).await, [r#""1999-12-27" 2"#, r#""2000-02-28" 1"#, "null 2"]);
    assert_eq!(
        ask(json!({ "bucket": "QUARTER" })).await,
        [r#""1999-10-01" 1"#, r#""2000-01-01" 2"#, "null 2"]
    );
    let range = json!({ "bucket": "DAY", "from": "2000-02-28", "to": "2000-03-02" });
    let expected = [r#""2000-02-28" 0"#, r#""2000-02-29" 1"#, r#""2000-03-01" 0"#];
    assert_eq!(ask(range).await, expected);
}
