//! Random requests of random rows.

use std::{collections::BTreeSet, fmt::Write};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use serde_json::{Map, Value, json};

use super::{
    SHRINKS,
    case::{Outcome, case},
    evaluate::{listed, sorted},
    fixture::TEXTS,
    inhabited,
    request::{DEPTH, filter},
    runner,
    tables::{CONTACTS, PRODUCTS, Table, USERS},
};
use crate::harness::{server, superuser};

/// How many requests of each table.
const CASES: u32 = 150;
/// How many requests of filters alone, and how many filters each has at most.
const FILTERS: u32 = 60;
const TOGETHER: usize = 16;

fn every_answer_is_what_memory_says(table: &'static Table) {
    let (mut runner, again) = runner(CASES, SHRINKS);
    let (runtime, client, fixture) = inhabited(&mut runner);
    let checked =
        runner.run(&case(&fixture, table), |case| match runtime.block_on(case.check(&client, &fixture)) {
            Ok(Outcome::Right) => Ok(()),
            Ok(Outcome::TooMuch) => Err(TestCaseError::reject("the request asks for too much")),
            Err(wrong) => Err(TestCaseError::fail(wrong)),
        });
    checked.unwrap_or_else(|failed| panic!("{again}\n{failed}"));
}

#[test]
fn lists_of_contacts_are_what_memory_says() {
    every_answer_is_what_memory_says(&CONTACTS);
}

#[test]
fn lists_of_products_are_what_memory_says() {
    every_answer_is_what_memory_says(&PRODUCTS);
}

/// Filters alone, because there are so many sorts of them. Several stand in each request.
fn every_filter_is_what_memory_says(table: &'static Table) {
    let (mut runner, again) = runner(FILTERS, SHRINKS);
    let (runtime, client, fixture) = inhabited(&mut runner);
    let Table { name, many, .. } = table;
    let filters = vec(filter(&fixture, table, DEPTH), 1..=TOGETHER);
    let checked = runner.run(&filters, |filters| {
        let (mut declared, mut lists, mut variables) = (String::new(), String::new(), Map::new());
        for (number, filter) in filters.iter().enumerate() {
            write!(declared, "$f{number}: {name}Filter ").unwrap();
            write!(
                lists,
                "f{number}: {many}(first: 100, where: $f{number}) {{ nodes {{ id }} totalCount }} "
            )
            .unwrap();
            variables.insert(format!("f{number}"), filter.clone());
        }
        let query = format!("query ({declared}) {{ {lists} }}");
        let answer = runtime.block_on(client.run(&query, Value::Object(variables)));
        let newest = sorted(&fixture, table, &[]);
        for (number, filter) in filters.iter().enumerate() {
            let passing = newest.iter().filter(|row| listed(&fixture, table, row, filter, "EXCLUDE"));
            let ids: Vec<_> = passing.map(|row| json!({ "id": row["id"] })).collect();
            let expected = json!({ "totalCount": ids.len(), "nodes": ids });
            let answered = &answer.body["data"][format!("f{number}")];
            let errors = &answer.body["errors"];
            prop_assert_eq!(answered, &expected, "{}(where: {})\nerrors {}", many, filter, errors);
        }
        Ok(())
    });
    checked.unwrap_or_else(|failed| panic!("{again}\n{failed}"));
}

#[test]
fn filters_of_contacts_are_what_memory_says() {
    every_filter_is_what_memory_says(&CONTACTS);
}

#[test]
fn filters_of_products_are_what_memory_says() {
    every_filter_is_what_memory_says(&PRODUCTS);
}

/// What memory knows of fields and operators is all that the schema has.
#[test]
fn nothing_that_the_schema_can_filter_or_order_by_goes_untried() {
    let document = parse_schema(gateway::sdl()).unwrap();
    let inputs = |ty: &str| -> BTreeSet<String> {
        let found = document.definitions.iter().find_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) if definition.node.name.node == ty => {
                match &definition.node.kind {
                    TypeKind::InputObject(input) => Some(input),
                    _ => None,
                }
            }
            _ => None,
        });
        let fields = found.unwrap_or_else(|| panic!("there is no input {ty}")).fields.iter();
        fields.map(|field| field.node.name.node.to_string()).collect()
    };
    let names =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    for table in [&CONTACTS, &PRODUCTS, &USERS] {
        let own: Vec<_> = table.fields.iter().map(|(name, _)| *name).collect();
        let to_one: Vec<_> = table.to_one.iter().map(|relation| relation.name).collect();
        let to_many: Vec<_> = table.to_many.iter().map(|relation| relation.name).collect();
        let filter = [&own[..], &to_one, &to_many, &["and", "or", "not", "isNull"]].concat();
        assert_eq!(inputs(&format!("{}Filter", table.name)), names(&filter));
        let ordered = table.fields.iter().filter(|(_, kind)| kind.is_ordered()).map(|(name, _)| *name);
        let ordered: Vec<_> = ordered.chain(to_one).collect();
        assert_eq!(inputs(&format!("{}OrderBy", table.name)), names(&ordered));
        for (_, kind) in table.fields {
            let (input, operators) = kind.operators();
            assert_eq!(inputs(input), names(operators), "{input}");
        }
    }
    assert_eq!(inputs("ContactListFilter"), names(&["some", "none", "every", "count"]));
    assert_eq!(inputs("CountFilter"), names(&["eq", "ne", "gt", "gte", "lt", "lte"]));
}

/// What the other tests here take for granted: columns have different collations, and memory
/// compares bytes.
#[tokio::test]
async fn the_texts_of_these_tests_have_one_order() {
    let database = superuser(server().addresses.database()).await;
    let pairs = TEXTS.iter().flat_map(|one| TEXTS.iter().map(move |other| format!("{one}{other}")));
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).chain(pairs).collect();
    texts.sort();
    texts.dedup();
    for collation in ["und-x-icu", "default"] {
        let sql =
            format!("SELECT text FROM unnest($1::text[]) AS text ORDER BY text COLLATE \"{collation}\"");
        let rows = database.query(&sql, &[&texts]).await.unwrap();
        let sorted: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(sorted, texts, "{collation}");
    }
}
