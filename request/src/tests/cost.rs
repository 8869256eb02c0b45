use serde_json::json;

use super::{prepare, problems};

fn cost(document: &str, variables: serde_json::Value) -> usize {
    prepare(document, variables).unwrap().complexity
}

#[test]
fn a_list_counts_once_for_each_row_of_its_page() {
    let users = |page: &str| format!("query ($n: Int) {{ users{page} {{ id name friend {{ name }} }} }}");
    // The list, and four fields of each row.
    assert_eq!(cost("{ users(first: 20) { id name friend { name } } }", json!({})), 81);
    assert_eq!(cost("{ users { id } me { id } }", json!({})), 53);
    assert_eq!(cost(&users("(last: $n)"), json!({ "n": 3 })), 13);
    assert_eq!(cost(&users("(last: $n)"), json!({})), 201);
    assert_eq!(cost(&users("(first: 0, last: $n)"), json!({ "n": 9 })), 5);
    assert_eq!(cost("{ users(first: 10) { friends(first: 5) { id } } }", json!({})), 61);
    assert_eq!(cost("query ($ids: [ID!]!) { named(ids: $ids) { id name } }", json!({ "ids": [1, 2, 3] })), 7);
    // Longer pages are refused when they are read.
    assert_eq!(cost("{ users(first: 2147483647) { id } }", json!({})), 201);
}

#[test]
fn fragments_count_wherever_they_are_spread() {
    let document =
        "{ a: users(first: 10) { ...f } b: users(first: 10) { ...f } } fragment f on User { id name }";
    assert_eq!(cost(document, json!({})), 42);
}

#[test]
fn an_operation_that_may_answer_too_much_is_refused() {
    let deep = "{ users(first: 200) { friends(first: 200) { friends(first: 200) { id } } } }";
    assert_eq!(
        problems(deep, json!({})),
        [": 8040201 fields in the answer, counted for each row of a page; at most 50000 are allowed."]
    );
}
