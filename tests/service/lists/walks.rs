//! Walks through all pages of a list: every row once, whichever way, whatever comes and goes.

use std::collections::BTreeMap;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::TestCaseError,
};
use serde_json::{Map, Value, json};

use super::{
    SHRINKS,
    evaluate::{listed, sorted},
    fixture::{Fixture, TEXTS},
    inhabited,
    request::{filter, order},
    runner,
    tables::CONTACTS,
};
use crate::harness::Client;

const CASES: u32 = 40;
/// No page has more rows.
const LARGEST: usize = 30;
/// No list here has as many rows.
const ENDLESS: usize = 1000;

/// A walk through a list of contacts.
#[derive(Clone, Debug)]
struct Walk {
    filter: Value,
    order: Vec<Value>,
    /// Of the contact with this id, if it is not a list of all.
    parent: Option<Value>,
    size: usize,
    backwards: bool,
}

impl Walk {
    /// The page behind this cursor, as a connection.
    async fn page(&self, client: &Client, cursor: &Value) -> Value {
        let arguments = "($first: Int, $after: String, $last: Int, $before: String, \
            $where: ContactFilter, $orderBy: [ContactOrderBy!]";
        let list = "(first: $first, after: $after, last: $last, before: $before, where: $where, \
            orderBy: $orderBy) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
        let mut variables = json!({ "where": self.filter, "orderBy": self.order, "id": self.parent });
        let (size, place) = if self.backwards { ("last", "before") } else { ("first", "after") };
        variables[size] = json!(self.size);
        variables[place] = cursor.clone();
        if self.parent.is_some() {
            let query =
                format!("query {arguments}, $id: ID!) {{ contact(id: $id) {{ list: people{list} }} }}");
            client.run(&query, variables).await.ok("/data/contact/list").clone()
        } else {
            let query = format!("query {arguments}) {{ list: contacts{list} }}");
            client.run(&query, variables).await.ok("/data/list").clone()
        }
    }

    /// The ids of all pages in the order of the list, and how many there are in all as the last page
    /// says; `between` happens between pages.
    async fn walk(
        &self,
        client: &Client,
        mut between: impl AsyncFnMut(),
    ) -> Result<(Vec<Value>, Value), String> {
        let (mut ids, mut cursor) = (vec![], Value::Null);
        while ids.len() < ENDLESS {
            let page = self.page(client, &cursor).await;
            let mut rows: Vec<Value> =
                page["nodes"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
            let (more, next) = if self.backwards {
                ("hasPreviousPage", "startCursor")
            } else {
                ("hasNextPage", "endCursor")
            };
            let info = &page["pageInfo"];
            if info[more] == true && rows.len() != self.size {
                return Err(format!("a page with more behind it has {} rows: {self:?}", rows.len()));
            }
            if self.backwards {
                rows.append(&mut ids);
                ids = rows;
            } else {
                ids.append(&mut rows);
            }
            if info[more] == false {
                return Ok((ids, page["totalCount"].clone()));
            }
            cursor = info[next].clone();
            between().await;
        }
        Err(format!("this never ends: {self:?}"))
    }
}

fn walk(fixture: &Fixture, of_parents: bool) -> impl Strategy<Value = Walk> + use<> {
    let parents = if of_parents {
        let companies = fixture.live(&CONTACTS).filter(|row| row["kind"] == "COMPANY");
        let companies: Vec<_> = companies.map(|row| row["id"].clone()).collect();
        prop_oneof![Just(None), select(companies).prop_map(Some)].boxed()
    } else {
        Just(None).boxed()
    };
    // Most rows pass, so that there are pages to walk.
    let filter = filter(fixture, &CONTACTS, 1)
        .prop_map(|filter| json!({ "or": [filter, { "tags": { "isEmpty": false } }] }));
    (filter, order(&CONTACTS), parents, 1..LARGEST, any::<bool>())
        .prop_map(|(filter, order, parent, size, backwards)| Walk { filter, order, parent, size, backwards })
}

#[test]
fn all_pages_together_are_the_list() {
    let (mut runner, again) = runner(CASES, SHRINKS);
    let (runtime, client, fixture) = inhabited(&mut runner);
    let walked = runner.run(&walk(&fixture, true), |walk| {
        let walked = runtime.block_on(walk.walk(&client, async || {}));
        let (ids, total) = walked.map_err(TestCaseError::fail)?;
        let passes = |row: &&super::fixture::Row| {
            walk.parent.as_ref().is_none_or(|parent| row["companyId"] == *parent)
                && listed(&fixture, &CONTACTS, row, &walk.filter, "EXCLUDE")
        };
        let all = sorted(&fixture, &CONTACTS, &walk.order).into_iter().filter(passes);
        let expected: Vec<Value> = all.map(|row| row["id"].clone()).collect();
        prop_assert_eq!(total, expected.len());
        prop_assert_eq!(ids, expected);
        Ok(())
    });
    walked.unwrap_or_else(|failed| panic!("{again}\n{failed}"));
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Change {
    Comes { name: &'static str, company: Index, person: bool },
    Goes(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let comes = (select(TEXTS), any::<Index>(), any::<bool>())
        .prop_map(|(name, company, person)| Change::Comes { name, company, person });
    prop_oneof![comes, any::<Index>().prop_map(Change::Goes)]
}

/// The contacts of an organisation that changes.
struct Town {
    client: Client,
    /// Those that have people, and stay: without them their people would move in orders by company.
    companies: Vec<Value>,
    /// All others, by their ids, with their revisions.
    others: BTreeMap<String, Value>,
}

impl Town {
    fn of(client: Client, fixture: &Fixture) -> Self {
        let of_kind = |kind: &'static str| fixture.live(&CONTACTS).filter(move |row| row["kind"] == kind);
        let companies = of_kind("COMPANY").map(|row| row["id"].clone()).collect();
        let id = |row: &super::fixture::Row| row["id"].as_str().unwrap().to_owned();
        let others = of_kind("PERSON").map(|row| (id(row), row["revision"].clone())).collect();
        Self { client, companies, others }
    }

    async fn change(&mut self, change: &Change) {
        match change {
            Change::Comes { name, company, person } => {
                let mut input = json!({ "kind": "COMPANY", "name": name });
                if *person {
                    input =
                        json!({ "kind": "PERSON", "name": name, "companyId": company.get(&self.companies) });
                }
                let made = self.client.create_contact(input).await;
                self.others.insert(made["id"].as_str().unwrap().to_owned(), made["revision"].clone());
            }
            Change::Goes(index) => {
                if self.others.is_empty() {
                    return;
                }
                let id = self.others.keys().nth(index.index(self.others.len())).unwrap().clone();
                let revision = self.others.remove(&id);
                let query = "mutation ($input: DeleteContactInput!) { \
                             deleteContact(input: $input) { userErrors { message } } }";
                let input = json!({ "id": id, "expectedRevision": revision });
                self.client.run(query, json!({ "input": input })).await.ok("/data/deleteContact");
            }
        }
    }
}

#[test]
fn rows_that_stay_are_met_once_and_none_twice() {
    let (mut runner, again) = runner(CASES, 0);
    let (runtime, client, fixture) = inhabited(&mut runner);
    let case = (walk(&fixture, false), vec(vec(change(), 0..4), 12));
    let town = std::cell::RefCell::new(Town::of(client.clone(), &fixture));
    let walked = runner.run(&case, |(mut walk, changes)| {
        // What comes has no tags and few values.
        walk.filter = Value::Null;
        let mut town = town.borrow_mut();
        let before = town.others.clone();
        let mut changes = changes.iter();
        let walked = runtime.block_on(walk.walk(&client, async || {
            for change in changes.next().into_iter().flatten() {
                town.change(change).await;
            }
        }));
        let (ids, _) = walked.map_err(TestCaseError::fail)?;
        let mut met = Map::new();
        for id in ids {
            let id = id.as_str().unwrap().to_owned();
            prop_assert!(met.insert(id.clone(), Value::Null).is_none(), "{} twice: {:?}", id, walk);
        }
        let companies = town.companies.iter().map(|id| id.as_str().unwrap());
        let stayed = before.keys().filter(|id| town.others.contains_key(*id)).map(String::as_str);
        for id in stayed.chain(companies) {
            prop_assert!(met.contains_key(id), "{} was never met: {:?}", id, walk);
        }
        Ok(())
    });
    walked.unwrap_or_else(|failed| panic!("{again}\n{failed}"));
}
