use serde_json::json;

use super::{exceeded, most, prepare, problems};

fn accepted(document: &str) -> bool {
    prepare(document, json!({ "v": 1 })).is_ok()
}

#[track_caller]
fn refused(document: &str, message: &str) {
    assert_eq!(problems(document, json!({})), [message], "{document}");
}

#[test]
fn values_of_a_document_are_checked_with_their_path() {
    let users = |filter: &str| format!("{{ users(where: {filter}) {{ id }} }}");
    refused(
        &users("{kind: {eq: PERSON}, kind: {eq: COMPANY}}"),
        "where: Argument where: the field kind is given twice.",
    );
    refused(
        &users("{kind: {eq: \"PERSON\"}}"),
        "where.kind.eq: Argument where: write PERSON without quotation marks.",
    );
    refused(
        &users("{kind: {eq: ROBOT}}"),
        "where.kind.eq: Argument where: ROBOT is none of COMPANY, PERSON.",
    );
    refused(&users("{nmae: {}}"), "where: Argument where: Filter has no field nmae. Did you mean name?");
    refused(
        &users("{and: [{}, null]}"),
        "where.and.1: Argument where: an item of the list must not be null.",
    );
    refused("{ users(first: 1.0) { id } }", "first: Argument first: 1.0 is not an Int.");
    refused("{ price(day: 5) }", "day: Argument day: 5 is not a Date.");
    refused(
        "{ users(orderBy: {name: 1, kind: 1}) { id } }",
        "orderBy: Argument orderBy: Order takes exactly one field, which must not be null.",
    );
    refused(
        "mutation { create(input: {kind: PERSON}) { id } }",
        "input.name: Argument input: the field name of type String! is required.",
    );
    refused("{ price(json: {a: 1, b: {a: 1}, a: 2}) }", "json: Argument json: the field a is given twice.");
    refused("{ price(json: {a: [$nope]}) }", "json: Argument json: variable $nope is not defined.");
    refused("{ me @skip(if: 1) { id } }", "if: Argument if: 1 is not a Boolean.");
    refused(
        "query ($v: Int = \"a\") { users(first: $v) { id } }",
        "variables.v: Variable $v: \"a\" is not an Int.",
    );
}

#[test]
fn a_variable_is_accepted_only_where_its_type_fits() {
    let with = |ty: &str, place: &str| format!("query ($v: {ty}) {{ {place} }}");
    let in_filter = |ty: &str, filter: &str| with(ty, &format!("users(where: {filter}) {{ id }}"));
    for (document, expected) in [
        (
            with("String", "users(first: $v) { id }"),
            "first: Argument first: variable $v has type String where Int is expected.",
        ),
        (
            with("Boolean", "me @skip(if: $v) { id }"),
            "if: Argument if: variable $v has type Boolean where Boolean! is expected.",
        ),
        (
            in_filter("[String]", "{name: {in: $v}}"),
            "where.name.in: Argument where: variable $v has type [String] where [String!] is expected.",
        ),
        (
            in_filter("Int", "{name: {eq: $v}}"),
            "where.name.eq: Argument where: variable $v has type Int where String is expected.",
        ),
        (
            in_filter("String", "{name: {in: [$v]}}"),
            "where.name.in.0: Argument where: variable $v has type String where String! is expected.",
        ),
        (
            in_filter("[String!]", "{name: {in: [$v]}}"),
            "where.name.in.0: Argument where: variable $v has type [String!] where String! is expected.",
        ),
        (
            with("Int", "users(orderBy: {name: $v}) { id }"),
            "orderBy.name: Argument orderBy: variable $v must have a type that excludes null here.",
        ),
    ] {
        refused(&document, expected);
    }
    for document in [
        with("Boolean = true", "me @skip(if: $v) { id }"),
        with("Boolean", "price(on: $v)"),
        in_filter("[String!]!", "{name: {in: $v}}"),
        in_filter("String!", "{name: {in: [$v, \"b\"]}}"),
        in_filter("String = \"a\"", "{name: {in: [$v]}}"),
        with("Int!", "users(orderBy: {name: $v}) { id }"),
    ] {
        let problems = prepare(&document, json!({})).err().unwrap_or_default();
        assert!(
            problems.iter().all(|problem| problem.message.ends_with("is required.")),
            "{document} {problems:?}"
        );
    }
}

#[test]
fn what_the_specification_does_not_allow_is_refused_in_a_sentence() {
    for (document, message) in [
        ("{ me { nmae } }", "Type `User` does not have a field `nmae`. Did you mean name?"),
        (
            "{ users(frst: 1) { id } }",
            "The argument `frst` is not supported by `Query.users`. Did you mean first?",
        ),
        ("{ me { id } } fragment f on User { id }", "Fragment `f` must be used in an operation."),
        ("{ me { ...f } } fragment f on User { ...f }", "`f` fragment cannot reference itself."),
        ("query ($v: Int) { me { id } }", "Unused variable: `$v`."),
        ("{ users(first: $v) { id } }", "Variable `$v` is not defined."),
        ("{ me }", "The field me answers an object: select fields of it, as in me { id }."),
        ("{ me { id ", "Syntax error: expected \"}\", got the end of the document."),
        ("", "Syntax error: unexpected end of the document."),
        ("{ users(first: 1 CREATED_AT", "Syntax error: expected \":\" and a value after CREATED_AT."),
        ("{ users(first 1) { id } }", "Syntax error: expected \":\" and a value after first."),
        ("{ me { id } } EXAMPLE", "Syntax error: expected definition."),
        (
            "{ node(id: 1) { ... on User { x: name } ... on Product { x: price } } }",
            "Operation must not select different types using the same name `x`.",
        ),
        (
            "mutation { importAll(csv: \"\", dryRun: true) ... { importAll(csv: \"\", dryRun: true) } }",
            "Select this mutation once: it would run once for each selection.",
        ),
        (
            "{ named(ids: []) { id } named(ids: [\"a\"]) { id } }",
            "Two fields under the name named differ in their arguments: give one an alias.",
        ),
        (
            "mutation { __typename importAll(csv: \"\", dryRun: true) importAll(csv: \"\", dryRun: true) }",
            "Select this mutation once: it would run once for each selection.",
        ),
        ("{ me { __mark: id } }", "The alias __mark is reserved."),
    ] {
        let found = problems(document, json!({}));
        assert_eq!(found.first().map(String::as_str), Some(format!(": {message}").as_str()), "{document}");
    }
    assert!(accepted("mutation { __typename __typename importAll(csv: \"\", dryRun: true) }"));
    let misspelt = problems("query ($v: Strin) { users(where: {name: {eq: $v}}) { id } }", json!({}));
    assert_eq!(misspelt[0], ": Cannot find type `Strin` in this document.");
    let unknown_type = problems("query ($a: [Nope!] = [1]) { __typename }", json!({}));
    assert_eq!(unknown_type[0], ": Cannot find type `Nope` in this document.");
}

#[test]
fn a_name_without_its_value_is_refused_wherever_the_parser_would_pass_over_it() {
    for (document, name) in [
        ("{ users(where) { id } }", "where"),
        ("{ users(where first: 1) { id } }", "where"),
        ("{ users(where: {name}) { id } }", "name"),
        ("{ users(where: {name kind: {eq: PERSON}}) { id } }", "name"),
        ("{ users(where: {and: [{kind: {eq: PERSON} name}]}) { id } }", "name"),
        ("{ price(json: {a: {b}}) }", "b"),
        ("mutation { create(input: {name: \"x\" kind}) { id } }", "kind"),
        ("{ me @skip(if: true foo) { id } }", "foo"),
        ("query (v: Int) { users(first: $v) { id } }", ""),
        ("query ($v Int) { users(first: $v) { id } }", ""),
    ] {
        let found = problems(document, json!({}));
        match name {
            "" => assert!(found[0].starts_with(": "), "{document} {found:?}"),
            name => assert_eq!(
                found,
                [format!(": Syntax error: expected \":\" and a value after {name}.")],
                "{document}"
            ),
        }
    }
    let whole = "query Q($a: [Int!]! = [1, 2] $b: Kind = PERSON, $c: Filter = {kind: {eq: PERSON}}) { users(first: 1 where: {and: [{kind: {eq: $b}} $d]}) { id } \
                 price(json: {a: $a}) me @skip(if: false) { id } x: users(where: $c) { id } }";
    assert_eq!(problems(whole, json!({})), [": Variable `$d` is not defined."]);
}

#[test]
fn strings_may_hold_every_escape() {
    for name in ["\\uD83D\\uDE00", "\\u{1F600}", "😀"] {
        let document = format!("mutation {{ create(input: {{name: \"{name} Bakery\"}}) {{ id }} }}");
        let prepared = prepare(&document, json!({})).unwrap();
        assert!(format!("{:?}", prepared.document).contains("😀 Bakery"), "{name}");
    }
}

/// `{ me { .. } }` with this inside.
fn me(inside: &str) -> String {
    format!("{{ me {{ {inside} }} }}")
}

fn numbered(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Fragments that each spread the next so often, the last one empty.
fn chain(length: usize, spreads: usize) -> String {
    let link =
        |at: usize| format!("fragment f{at} on User {{ {} }} ", format!("...f{} ", at + 1).repeat(spreads));
    format!("{}fragment f{length} on User {{ id }}", numbered(length, link))
}

/// Makes a document that holds so many of what a limit counts.
type Sized = Box<dyn Fn(usize) -> String>;

#[test]
fn each_limit_is_named_with_what_was_found_and_one_less_passes() {
    let friends =
        |depth: usize| me(&format!("{} id {}", "friend {".repeat(depth - 2), "}".repeat(depth - 2)));
    let introspected = |lists: usize| {
        let (open, close) = ("interfaces { ".repeat(lists), "} ".repeat(lists));
        format!("{{ __type(name: \"User\") {{ {open} name {close} }} }}")
    };
    let cases: Vec<(&str, Sized)> = vec![
        ("DOCUMENT_BYTES", Box::new(|n| format!("{}{}", me("id"), " ".repeat(n - me("id").len())))),
        ("TOKENS", Box::new(|n| me(&"id ".repeat(n - 5)))),
        ("BRACKETS", Box::new(|n| format!("{{ price(json: {}{}) }}", "[".repeat(n - 2), "]".repeat(n - 2)))),
        ("OPERATIONS", Box::new(|n| numbered(n, |at| format!("query Q{at} {{ me {{ id }} }} ")))),
        (
            "FRAGMENTS",
            Box::new(|n| {
                let spreads = numbered(n, |at| format!("...f{at} "));
                format!("{} {}", me(&spreads), numbered(n, |at| format!("fragment f{at} on User {{ id }} ")))
            }),
        ),
        ("FRAGMENT_DEPTH", Box::new(|n| format!("{} {}", me("...f0"), chain(n - 3, 1)))),
        ("DEPTH", Box::new(friends)),
        ("ROOT_FIELDS", Box::new(|n| format!("{{ {} }}", numbered(n, |at| format!("a{at}: price "))))),
        (
            "MUTATIONS",
            Box::new(|n| {
                format!(
                    "mutation {{ {} }}",
                    numbered(n, |at| format!("a{at}: importAll(csv: \"\", dryRun: true) "))
                )
            }),
        ),
        ("ALIASES", Box::new(|n| me(&numbered(n, |at| format!("a{at}: name "))))),
        ("DIRECTIVES", Box::new(|n| me(&numbered(n, |at| format!("a{}: id @skip(if: false) ", at % 20))))),
        ("TYPENAMES", Box::new(|n| me(&"__typename ".repeat(n)))),
        (
            "INTROSPECTIONS",
            Box::new(|n| format!("{{ {} }}", numbered(n, |at| format!("a{at}: __schema {{ __typename }} ")))),
        ),
        ("INTROSPECTED_LISTS", Box::new(introspected)),
    ];
    for (name, document) in &cases {
        let most = most(name);
        assert_eq!(exceeded(&document(most + 1)), (*name, most + 1));
        let name_one = prepare(&document(most), json!({})).err().unwrap_or_default();
        let unnamed = "The document has several operations: name one as `operationName`.";
        assert!(name_one.iter().all(|problem| problem.message == unnamed), "{name} {name_one:?}");
    }
    let directives = |n: usize| me(&format!("id {}", "@x ".repeat(n)));
    assert_eq!(exceeded(&directives(11)), ("DIRECTIVES_OF_FIELD", 11));
    assert!(is_refused_within_the_limits(&directives(10)));
}

/// Whether a document is refused for other reasons than a limit.
fn is_refused_within_the_limits(document: &str) -> bool {
    prepare(document, json!({})).unwrap_err().iter().all(|problem| problem.exceeded.is_none())
}

#[test]
fn documents_that_grow_beyond_their_text_are_refused_before_anything_walks_them() {
    // 2^40, 100^5 and 9 million selections.
    for document in [
        format!("{} {}", me("...f0"), chain(40, 2)),
        format!("{} {}", me("...f0"), chain(5, 100)),
        format!("{} fragment f on User {{ {} }}", me(&"...f ".repeat(3000)), "id ".repeat(3000)),
        // The same in a fragment that nothing uses, and for each of many operations.
        format!("{} {}", me("id"), chain(40, 2)),
        format!(
            "{} fragment f on Query {{ {} }}",
            numbered(50, |at| format!("query Q{at} {{ ...f }} ")),
            "price ".repeat(1000)
        ),
    ] {
        assert_eq!(exceeded(&document).0, "SELECTIONS", "{document:.80}");
    }
    let values = format!(
        "{} fragment f on User {{ {} }}",
        me(&"...f ".repeat(400)),
        format!("friends(first: {}) {{ id }}", "1").repeat(2)
    );
    assert!(accepted(&values));
    let heavy = format!("fragment f on Query {{ price(json: [{}]) }}", "1 ".repeat(10_000));
    assert_eq!(exceeded(&format!("{{ {} }} {heavy}", "...f ".repeat(40))).0, "VARIABLE_NODES");
}

#[test]
fn fragments_in_chains_and_circles_are_refused() {
    // Each wraps the spread of the next in 63 inline fragments.
    let wrap = |at: usize, next: usize| {
        format!("fragment f{at} on User {{ {} ...f{next} {} }} ", "...{".repeat(63), "}".repeat(63))
    };
    let bomb = format!("{} {} fragment f95 on User {{ id }}", me("id"), numbered(95, |at| wrap(at, at + 1)));
    assert_eq!(exceeded(&bomb).0, "FRAGMENT_DEPTH");
    let circle = format!("{} {}", me("...f0"), numbered(95, |at| wrap(at, (at + 1) % 95)));
    assert_eq!(exceeded(&circle).0, "FRAGMENT_DEPTH");
    assert_eq!(exceeded(&format!("{} {}", me("id"), chain(7500, 1))).0, "DOCUMENT_BYTES");
    assert_eq!(exceeded(&format!("{} {}", me("id"), chain(3000, 1))).0, "TOKENS");
    assert_eq!(exceeded(&format!("{} {}", me("id"), chain(499, 1))).0, "FRAGMENT_DEPTH");
    let short_circles = numbered(400, |at| format!("fragment f{at} on User {{ ...f{} }} ", (at + 1) % 50));
    assert!(is_refused_within_the_limits(&format!("{} {short_circles}", me("...f0"))));
}

#[test]
fn a_variable_counts_at_each_of_its_uses() {
    let uses = |count: usize| {
        format!(
            "query ($w: Filter) {{ {} }}",
            numbered(count, |at| format!("a{at}: users(where: $w) {{ id }} "))
        )
    };
    let nodes = |count: usize| json!({ "w": { "and": vec![json!({}); count] } });
    assert!(prepare(&uses(40), nodes(4_000)).is_ok());
    let refused = prepare(&uses(50), nodes(12_000)).unwrap_err();
    let exceeded = refused[0].exceeded.unwrap();
    // The object, its list, and the items; and each use is itself a value of the document.
    assert_eq!((exceeded.limit.name, exceeded.found), ("VARIABLE_NODES", 50 * 12_002 + 50));
    // Through fragments too.
    let spread = format!(
        "query ($w: Filter) {{ {} }} fragment f on Query {{ users(where: $w) {{ id }} }}",
        "...f ".repeat(49)
    );
    assert_eq!(
        prepare(&spread, nodes(12_000)).unwrap_err()[0].exceeded.unwrap().limit.name,
        "VARIABLE_NODES"
    );
}

#[test]
fn a_problem_has_its_line_and_its_column_in_characters() {
    let places = |document: &str| -> Vec<_> {
        let problems = prepare(document, json!({})).unwrap_err();
        problems.iter().map(|problem| problem.position.map(|place| (place.line, place.column))).collect()
    };
    // A validator's, a literal's, a survey's and a variable's.
    assert_eq!(places("# \u{e9}\r\n{ me { name(a: \"\u{e9}\") nope } }"), [Some((2, 21))]);
    assert_eq!(places("{ price(json: \"\u{e9}\", day: 5)\r price(day: 6) }"), [Some((1, 25)), Some((2, 13))]);
    assert_eq!(places("{ me { id } me { __mark: id } }"), [Some((1, 18))]);
    assert_eq!(
        places(
            "fragment f on User { id }\nquery ($a: Int!,\n $b: Int!) { me { ...f friends(first: $a) { id } }\n users(first: $b) { id } }"
        ),
        [Some((2, 8)), Some((3, 2))]
    );
    assert_eq!(places("{ me { id "), [Some((1, 11))]);
}
