//! Requests that try to cost much before they are executed or refused: each of a different kind,
//! as large as the limits of a request allow, or larger.

use serde_json::{Value, json};

/// A hostile request.
pub struct Hostile {
    /// Its kind, as measurements name it.
    pub name: &'static str,
    /// The document.
    pub query: String,
    /// The operation to execute, where there are several.
    pub operation: Option<&'static str>,
    /// The variables.
    pub variables: Value,
}

impl Hostile {
    fn new(name: &'static str, query: String) -> Self {
        Self { name, query, operation: None, variables: json!({}) }
    }

    fn with(self, variables: Value) -> Self {
        Self { variables, ..self }
    }

    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> String {
        let Self { query, operation, variables, .. } = self;
        json!({ "query": query, "operationName": operation, "variables": variables }).to_string()
    }
}

/// One of each kind.
#[must_use]
pub fn requests() -> Vec<Hostile> {
    [selections(), fragments(), introspection(), values(), texts(), variables()]
        .into_iter()
        .flatten()
        .collect()
}

fn numbered(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// A document that asks for this of every contact.
fn of_contacts(inside: &str) -> String {
    format!("{{ contacts {{ nodes {{ {inside} }} }} }}")
}

/// Fields of `Contact` in one another, so many levels deep.
fn companies(depth: usize) -> String {
    format!("{} id {}", "company {".repeat(depth), "}".repeat(depth))
}

fn selections() -> Vec<Hostile> {
    let people = |at: usize| format!("people(first: {at}) {{ totalCount }} ");
    vec![
        Hostile::new("one field as often as it fits", of_contacts(&"id ".repeat(19_990))),
        Hostile::new("objects in many places", of_contacts(&"company { id } ".repeat(4_900))),
        Hostile::new("objects in many places, deep", of_contacts(&companies(15).repeat(400))),
        Hostile::new("different fields under one name", of_contacts(&"a: id a: name ".repeat(3_300))),
        Hostile::new("different arguments of one field", of_contacts(&numbered(2_000, people))),
        Hostile::new(
            "a field in fragments of every type",
            format!(
                "{{ node(id: 1) {{ {} }} }}",
                "... on Contact { x: name } ... on Product { x: clientPrice } ... on User { x: email } "
                    .repeat(650)
            ),
        ),
        Hostile::new("unknown fields", of_contacts(&numbered(19_000, |at| format!("f{at} ")))),
        Hostile::new(
            "inline fragments in one another",
            of_contacts(&format!("{} id {}", "... {".repeat(90), "}".repeat(90))),
        ),
        Hostile::new("aliases", of_contacts(&numbered(6_000, |at| format!("a{at}: id ")))),
        Hostile::new("directives", of_contacts(&"id @skip(if: false) ".repeat(2_400))),
        Hostile::new("unknown directives", of_contacts(&format!("id {}", "@x ".repeat(9_000)))),
    ]
}

fn fragments() -> Vec<Hostile> {
    let chain = |length: usize, link: &dyn Fn(usize) -> String| {
        format!("{} fragment f{length} on Contact {{ id }}", numbered(length, link))
    };
    let spread = |times: usize| {
        move |at: usize| {
            format!("fragment f{at} on Contact {{ {} }} ", format!("...f{} ", at + 1).repeat(times))
        }
    };
    let nested = |at: usize| {
        let below = format!("company {{ ...f{} }} ", at + 1);
        format!("fragment f{at} on Contact {{ a: {below} b: {below} }} ")
    };
    let wrapped = |at: usize| {
        format!("fragment f{at} on Contact {{ {} ...f{} {} }} ", "...{".repeat(63), at + 1, "}".repeat(63))
    };
    let circle =
        |at: usize| format!("fragment f{at} on Contact {{ ...f{} ...f{} }} ", (at + 1) % 400, (at + 7) % 400);
    let pairs = numbered(500, |at| format!("fragment f{at} on Contact {{ id name email }} "));
    let shared = numbered(50, |at| format!("query Q{at}($v: Int) {{ ...f }} "));
    vec![
        Hostile::new(
            "fragments side by side",
            format!("{} {pairs}", of_contacts(&numbered(500, |at| format!("...f{at} ")))),
        ),
        Hostile::new("a chain of fragments", format!("{} {}", of_contacts("...f0"), chain(95, &spread(1)))),
        Hostile::new(
            "fragments that double, within the limits",
            format!("{} {}", of_contacts("...f0"), chain(12, &spread(2))),
        ),
        Hostile::new("fragments that double", format!("{} {}", of_contacts("...f0"), chain(90, &spread(2)))),
        Hostile::new(
            "objects that double, within the limits",
            format!("{} {}", of_contacts("...f0"), chain(11, &nested)),
        ),
        Hostile::new(
            "fragments that multiply by a hundred",
            format!("{} {}", of_contacts("...f0"), chain(90, &spread(70))),
        ),
        Hostile::new("unused fragments, deep", format!("{{ me {{ id }} }} {}", chain(95, &wrapped))),
        Hostile::new("unused fragments that share a large one", {
            let sharing = numbered(400, |at| format!("fragment f{at} on Contact {{ ...large }} "));
            format!("{{ me {{ id }} }} {sharing} fragment large on Contact {{ {} }}", "id ".repeat(15_000))
        }),
        Hostile::new("unused fragments, many", format!("{{ me {{ id }} }} {}", chain(450, &spread(1)))),
        Hostile::new("circles of fragments", format!("{} {}", of_contacts("...f0"), numbered(400, circle))),
        Hostile {
            operation: Some("Q0"),
            ..Hostile::new(
                "operations that share a fragment",
                format!(
                    "{shared} fragment f on Query {{ {} }}",
                    "a: contacts(first: $v) { totalCount } ".repeat(190)
                ),
            )
        },
    ]
}

fn introspection() -> Vec<Hostile> {
    let aliases = |count: usize, part: &str| numbered(count, |at| format!("a{at}: {part} "));
    let nested = |count: usize| {
        format!(
            "{{ __schema {{ {} }} }} fragment T on __Type {{ {} }} fragment F on __Field {{ {} }} \
             fragment A on __InputValue {{ type {{ {} }} }} fragment I on __InputValue {{ {} }}",
            aliases(count, "types { ...T }"),
            aliases(count, "fields { ...F }"),
            aliases(count, "args { ...A }"),
            aliases(count, "inputFields { ...I }"),
            aliases(20, "description"),
        )
    };
    vec![
        Hostile::new("introspection with aliases at each level", nested(4)),
        Hostile::new("introspection in many places", {
            let places = "args { name type { name } } ".repeat(2_000);
            format!("{{ __schema {{ types {{ fields {{ {places} }} }} }} }}")
        }),
    ]
}

fn values() -> Vec<Hostile> {
    let contacts = |filter: &str| format!("{{ contacts(where: {filter}) {{ totalCount }} }}");
    let definitions = |count: usize| numbered(count, |at| format!("$v{at}: Int "));
    vec![
        Hostile::new(
            "literals in a list",
            contacts(&format!("{{and: [{}]}}", "{name: {eq: \"x\"}} ".repeat(1_990))),
        ),
        Hostile::new(
            "lists in one another",
            format!("{{ contacts(where: {}{}) {{ totalCount }} }}", "[".repeat(195), "]".repeat(195)),
        ),
        Hostile::new(
            "filters in one another",
            contacts(&format!("{}{{}}{}", "{not: ".repeat(190), "}".repeat(190))),
        ),
        Hostile::new(
            "unknown fields of an input",
            contacts(&format!("{{ {} }}", numbered(6_000, |at| format!("f{at}: 1 ")))),
        ),
        Hostile::new(
            "one field of an input again and again",
            contacts(&format!("{{ {} }}", "name: {} ".repeat(4_900))),
        ),
        Hostile::new("arguments", format!("{{ contacts({}) {{ totalCount }} }}", "first: 1 ".repeat(6_000))),
        Hostile::new(
            "unknown arguments",
            format!("{{ contacts({}) {{ totalCount }} }}", numbered(6_000, |at| format!("f{at}: 1 "))),
        ),
        Hostile::new("unused variables", format!("query ({}) {{ me {{ id }} }}", definitions(4_900))),
        Hostile::new(
            "variables of one name",
            format!("query ({}) {{ me {{ id }} }}", "$v: Int ".repeat(4_900)),
        ),
        Hostile::new(
            "variables and their uses",
            format!(
                "query ({}) {{ contacts {{ nodes {{ {} }} }} }}",
                definitions(1_000),
                numbered(1_400, |at| format!(
                    "people(where: {{revision: {{eq: $v{}}}}}) {{ totalCount }} ",
                    at % 1_000
                )),
            ),
        ),
        Hostile::new(
            "undefined variables",
            format!("{{ contacts(where: {{and: [{}]}}) {{ totalCount }} }}", "$v ".repeat(9_000)),
        ),
    ]
}

fn texts() -> Vec<Hostile> {
    let bytes = 256 * 1024 - 100;
    let named = |text: &str| format!("{{ contacts(where: {{name: {{eq: {text}}}}}) {{ totalCount }} }}");
    vec![
        Hostile::new(
            "one long line, wrong at its end",
            format!("{{ {} contacts(where: 1) {{ nope }} }}", " ".repeat(bytes)),
        ),
        Hostile::new("one long string", named(&format!("\"{}\"", "\\u0041".repeat(bytes / 6)))),
        Hostile::new("one block string", named(&format!("\"\"\"{}\"\"\"", " \n".repeat(bytes / 2)))),
        Hostile::new("comments", format!("{{ me {{ id }} }}{}", "\n#".repeat(bytes / 2))),
        Hostile::new("commas", format!("{{ me {{ id }} }}{}", ",".repeat(bytes))),
        Hostile::new("many long lines", of_contacts(&format!("{}id ", " ".repeat(10)).repeat(19_000))),
        Hostile::new("brackets that never close", "{a".repeat(100_000)),
        Hostile::new("characters that start no token", "?".repeat(bytes)),
        Hostile::new("brackets of two kinds", "[)".repeat(9_900)),
        Hostile::new("no GraphQL at all", "\u{1f600} ".repeat(bytes / 5)),
        Hostile::new("quotation marks", "\"".repeat(bytes)),
    ]
}

fn variables() -> Vec<Hostile> {
    let filter = "query ($w: ContactFilter) { contacts(where: $w) { totalCount } }";
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let object = |keys: usize| -> Value {
        (0..keys).map(|at| (format!("k{at}"), json!(1))).collect::<serde_json::Map<_, _>>().into()
    };
    let deep = (0..62).fold(json!({}), |inside, _| json!({ "not": inside }));
    vec![
        Hostile::new("a long list", nodes.to_owned()).with(json!({ "ids": vec!["x"; 199_000] })),
        Hostile::new("a long list of wrong values", nodes.to_owned())
            .with(json!({ "ids": vec![json!(true); 199_000] })),
        Hostile::new("unknown fields in a variable", filter.to_owned()).with(json!({ "w": object(190_000) })),
        Hostile::new("empty filters", filter.to_owned())
            .with(json!({ "w": { "and": vec![json!({}); 199_000] } })),
        Hostile::new("filters in one another, as a variable", filter.to_owned()).with(json!({ "w": deep })),
        Hostile::new("values that no variable names", "{ me { id } }".to_owned()).with(object(199_000)),
        Hostile::new("a long text", filter.to_owned())
            .with(json!({ "w": { "name": { "eq": "x".repeat(4_000_000) } } })),
        Hostile::new("a long text of the wrong type", filter.to_owned())
            .with(json!({ "w": "\u{1f600}".repeat(900_000) })),
        Hostile::new("a value used again and again", {
            let uses = "people(where: $w) { totalCount } ".repeat(600);
            format!("query ($w: ContactFilter) {{ contacts {{ nodes {{ {uses} }} }} }}")
        })
        .with(json!({ "w": { "and": vec![json!({}); 320] } })),
    ]
}
