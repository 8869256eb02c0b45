use serde_json::json;

use super::{coerced, prepare, prepare_named, problems};

#[test]
fn a_required_variable_that_is_missing_or_null_is_refused_by_its_name() {
    let import = "mutation ($csv: String!, $dry: Boolean!) { importAll(csv: $csv, dryRun: $dry) }";
    assert_eq!(
        problems(import, json!({ "csv": "name\nX\n" })),
        ["variables.dry: Variable $dry of type Boolean! is required."]
    );
    assert_eq!(
        problems(import, json!({ "dry": null })),
        [
            "variables.csv: Variable $csv of type String! is required.",
            "variables.dry: Variable $dry of type Boolean! must not be null."
        ]
    );
    // In a filter, in a list, as a whole filter, in paging and in a directive.
    for (document, ty) in [
        ("query ($v: String!) { users(where: {name: {eq: $v}}) { id } }", "String!"),
        ("query ($v: [String!]!) { users(where: {name: {in: $v}}) { id } }", "[String!]!"),
        ("query ($v: String!) { users(where: {and: [{name: {in: [\"a\", $v]}}]}) { id } }", "String!"),
        ("query ($v: Filter!) { users(where: $v) { id } }", "Filter!"),
        ("query ($v: Int!) { users(first: $v) { id } }", "Int!"),
        ("query ($v: Boolean!) { me @include(if: $v) { id } }", "Boolean!"),
        ("query ($v: Decimal!) { price(amount: $v) }", "Decimal!"),
    ] {
        let missing = format!("variables.v: Variable $v of type {ty} is required.");
        assert_eq!(problems(document, json!({})), [missing], "{document}");
        let null = format!("variables.v: Variable $v of type {ty} must not be null.");
        assert_eq!(problems(document, json!({ "v": null })), [null], "{document}");
    }
}

#[test]
fn a_nullable_variable_that_is_not_sent_stays_absent_and_defaults_are_put_in() {
    let document = "query ($a: Int, $b: Int = 3, $c: Boolean = true, $d: [String!] = \"x\") \
                    { users(first: $a, last: $b, where: {name: {in: $d}}) { id @include(if: $c) name } }";
    assert_eq!(coerced(document, json!({})), json!({ "b": 3, "c": true, "d": ["x"] }));
    assert_eq!(
        coerced(document, json!({ "a": null, "b": null, "c": false, "d": [], "unknown": 1 })),
        json!({ "a": null, "b": null, "c": false, "d": [] })
    );
    let kinds = "query ($k: Kind = PERSON, $f: Filter = {kind: {eq: COMPANY}}) { users(where: {and: [{kind: {eq: $k}}], name: {}}) { id } a: users(where: $f) { id } }";
    let defaults = json!({ "k": "PERSON", "f": { "kind": { "eq": "COMPANY" } } });
    assert_eq!(coerced(kinds, json!({})), defaults);
    let input = "mutation ($i: CreateInput!) { create(input: $i) { id } }";
    assert_eq!(
        coerced(input, json!({ "i": { "name": "a", "parent": { "name": "b", "size": null } } })),
        json!({ "i": { "name": "a", "parent": { "name": "b", "size": null }, "size": 3 } })
    );
}

/// A query with a variable of this type at a place.
fn of(ty: &str, place: &str) -> String {
    format!("query ($v: {ty}) {{ {place} }}")
}

/// A place in the arguments of a list.
fn users(argument: &str) -> String {
    format!("users({argument}: $v) {{ id }}")
}

#[test]
fn values_become_those_of_their_types() {
    let good = [
        (of("Int", &users("first")), json!(3.0), json!(3)),
        (of("Int", &users("first")), json!(-2147483648_i64), json!(-2147483648_i64)),
        (of("Float", "price(ratio: $v)"), json!(2), json!(2)),
        (of("[ID!]!", "named(ids: $v) { id }"), json!(7), json!(["7"])),
        (of("[ID!]!", "named(ids: $v) { id }"), json!([3.0, -1]), json!(["3", "-1"])),
        (of("[ID!]!", "named(ids: $v) { id }"), json!(["a", 8]), json!(["a", "8"])),
        (
            of("Filter", &users("where")),
            json!({ "and": { "name": { "in": "a" } } }),
            json!({ "and": [{ "name": { "in": ["a"] } }] }),
        ),
        (of("Decimal", "price(amount: $v)"), json!("12.50"), json!("12.50")),
        (of("JSON", "price(json: $v)"), json!({ "a": [1] }), json!({ "a": [1] })),
    ];
    for (document, sent, expected) in good {
        assert_eq!(coerced(&document, json!({ "v": sent })), json!({ "v": expected }), "{document}");
    }
}

#[test]
fn values_of_other_types_are_refused_with_their_path() {
    let bad = [
        (of("Int", &users("first")), json!(1.5), "v: Variable $v: 1.5 is not an Int."),
        (of("Int", &users("first")), json!("1"), "v: Variable $v: \"1\" is not an Int."),
        (of("Int", &users("first")), json!(true), "v: Variable $v: true is not an Int."),
        (
            of("Int", &users("first")),
            json!(2147483648_i64),
            "v: Variable $v: 2147483648 is not an Int, which goes from -2147483648 to 2147483647.",
        ),
        (of("Int", &users("first")), json!([1, 2]), "v: Variable $v: a list is not an Int."),
        (of("Filter", &users("where")), json!("x"), "v: Variable $v: \"x\" is not a Filter."),
        (
            of("Filter", &users("where")),
            json!({ "nmae": {} }),
            "v: Variable $v: Filter has no field nmae. Did you mean name?",
        ),
        (
            of("Filter", &users("where")),
            json!({ "name": { "eq": 5 } }),
            "v.name.eq: Variable $v: 5 is not a String.",
        ),
        (
            of("Filter", &users("where")),
            json!({ "and": [{}, null] }),
            "v.and.1: Variable $v: an item of the list must not be null.",
        ),
        (
            of("Filter", &users("where")),
            json!({ "kind": { "eq": "X" } }),
            "v.kind.eq: Variable $v: \"X\" is none of COMPANY, PERSON.",
        ),
        (of("[ID!]!", "named(ids: $v) { id }"), json!([1.5]), "v.0: Variable $v: 1.5 is not an ID."),
        (of("Date", "price(day: $v)"), json!(20301231), "v: Variable $v: 20301231 is not a Date."),
        (of("Decimal", "price(amount: $v)"), json!({}), "v: Variable $v: an object is not a Decimal."),
        (of("Float", "price(ratio: $v)"), json!("2"), "v: Variable $v: \"2\" is not a Float."),
        (
            of("[Order!]", &users("orderBy")),
            json!([{}]),
            "v.0: Variable $v: Order takes exactly one field, which must not be null.",
        ),
        (
            of("[Order!]", &users("orderBy")),
            json!([{ "name": 1, "kind": 1 }]),
            "v.0: Variable $v: Order takes exactly one field, which must not be null.",
        ),
        (
            of("[Order!]", &users("orderBy")),
            json!([{ "name": null }]),
            "v.0: Variable $v: Order takes exactly one field, which must not be null.",
        ),
    ];
    for (document, sent, expected) in bad {
        assert_eq!(
            problems(&document, json!({ "v": sent })),
            [format!("variables.{expected}")],
            "{document}"
        );
    }
}

#[test]
fn a_default_does_not_let_null_into_a_place_that_must_not_be_null() {
    for place in ["named(ids: $v) { id }", "a: price(json: {a: $v}) named(ids: [\"b\"]) { id } ...f"] {
        let document = format!(
            "query ($v: [ID!] = [\"a\"]) {{ {place} }} {}",
            if place.contains("...f") { "fragment f on Query { x: named(ids: $v) { id } }" } else { "" }
        );
        assert_eq!(
            problems(&document, json!({ "v": null })),
            ["variables.v: Variable $v must not be null where it is used."]
        );
        assert_eq!(coerced(&document, json!({})), json!({ "v": ["a"] }));
    }
    let nullable = "query ($v: Int = 3) { users(first: $v) { id } }";
    assert_eq!(coerced(nullable, json!({ "v": null })), json!({ "v": null }));
}

#[test]
fn all_mistakes_of_an_input_are_reported_together() {
    let input = "mutation ($i: CreateInput!) { create(input: $i) { id } }";
    assert_eq!(
        problems(input, json!({ "i": { "kind": "ROBOT", "parent": {}, "tags": [1] } })),
        [
            "variables.i.kind: Variable $i: \"ROBOT\" is none of COMPANY, PERSON.",
            "variables.i.parent.name: Variable $i: the field name of type String! is required.",
            "variables.i.tags.0: Variable $i: 1 is not a String.",
            "variables.i.name: Variable $i: the field name of type String! is required.",
        ]
    );
}

#[test]
fn a_message_repeats_the_beginning_of_a_long_value_or_name_and_there_are_a_hundred_at_most() {
    let name = "n".repeat(50_000);
    let problems_of_it = problems(
        &format!("query (${name}: Int) {{ users(first: ${name}) {{ id }} }}"),
        json!({ &name: ["x"] }),
    );
    assert!(problems_of_it[0].len() < 200, "{problems_of_it:?}");
    let unknown = problems(&format!("{{ {name} }}"), json!({}));
    assert!(unknown[0].len() < 400, "{unknown:?}");
    let document = "query ($v: [ID!]!) { named(ids: $v) { id } }";
    let long = problems("query ($v: Int) { users(first: $v) { id } }", json!({ "v": "x".repeat(10_000) }));
    assert!(long[0].len() < 120, "{long:?}");
    assert_eq!(problems(document, json!({ "v": vec![1.5; 1000] })).len(), 100);
}

#[test]
fn only_the_chosen_operation_counts() {
    let document = "query Q($v: Int!) { users(first: $v) { id } } \
                    query R($v: String) { users(where: {name: {eq: $v}}) { id } } \
                    query Empty { me { id } }";
    assert!(prepare_named(document, Some("R"), json!({ "v": "a" })).is_ok());
    assert!(prepare_named(document, Some("Q"), json!({ "v": "a" })).is_err());
    let message = |name| prepare_named(document, name, json!({})).unwrap_err()[0].message.clone();
    let several = "The document has several operations: name one as `operationName`.";
    assert_eq!((message(None), message(Some(""))), (several.to_owned(), several.to_owned()));
    assert_eq!(message(Some("S")), "The document has no operation named S.");
}

#[test]
fn conditions_are_evaluated_and_leave_nothing_of_what_is_skipped() {
    let fields = |document: &str, variables| {
        let prepared = prepare(document, variables).unwrap();
        let text = format!("{:?}", prepared.document);
        ["name", "kind", "friend"]
            .into_iter()
            .filter(|name| text.contains(&format!("Name(\"{name}\")")))
            .collect::<Vec<_>>()
    };
    let document = "query ($s: Boolean = true, $i: Boolean!) { me { name @skip(if: $s) ...f @include(if: $i) \
                    ... @include(if: false) { friend { id } } } } fragment f on User { kind @skip(if: $s) }";
    assert_eq!(fields(document, json!({ "i": true })), [""; 0]);
    assert_eq!(fields(document, json!({ "i": true, "s": false })), ["name", "kind"]);
    let inline = "query ($i: Boolean!) { me { name ... @include(if: $i) { kind } ... @skip(if: $i) { friend { id } } } }";
    assert_eq!(fields(inline, json!({ "i": false })), ["name", "friend"]);
    assert_eq!(fields(inline, json!({ "i": true })), ["name", "kind"]);
    let null = problems("query ($s: Boolean = true) { me @skip(if: $s) { id } }", json!({ "s": null }));
    assert_eq!(null, ["variables.s: Variable $s must not be null where it is used."]);
}

#[test]
fn what_depends_on_a_variable_that_was_not_sent_is_not_there() {
    let document = "query ($a: Int, $b: String, $c: Filter!) \
                    { users(first: $a, where: {name: {eq: $b, in: [\"x\"]}, and: [$c]}) { id } price(amount: null) }";
    let prepared = prepare(document, json!({ "c": {} })).unwrap();
    let left = format!("{:?}", prepared.document.operations.iter().next().unwrap().1.node.selection_set);
    assert!(!left.contains("Name(\"a\")") && !left.contains("Name(\"b\")"), "{left}");
    assert!(left.contains("Name(\"c\")") && left.contains("Name(\"in\")") && left.contains("Null"), "{left}");
    // In a list it is null, where null may be.
    let list = "query ($a: Int) { price(json: {b: [1, $a]}) }";
    let left = format!(
        "{:?}",
        prepare(list, json!({})).unwrap().document.operations.iter().next().unwrap().1.node.selection_set
    );
    assert!(left.contains("Null") && !left.contains("Variable"), "{left}");
}
