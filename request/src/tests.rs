//! Requests against a small schema, as the gateway runs them.

mod cost;
mod documents;
mod variables;

use async_graphql::Value;
use serde_json::json;

use crate::{Document, Limit, Model, Parameters, Prepared, Problem, Refused, Settings, Shape};

const SCHEMA: &str = r#"
directive @listSize(assumedSize: Int, slicingArguments: [String!]) on FIELD_DEFINITION
directive @oneOf on INPUT_OBJECT

type Query {
    me: User
    users(first: Int, last: Int, where: Filter, orderBy: [Order!]): [User!] @listSize(assumedSize: 50, slicingArguments: ["first", "last"])
    named(ids: [ID!]!): [User] @listSize(assumedSize: 1, slicingArguments: ["ids"])
    node(id: ID!): Node
    price(amount: Decimal, day: Date, json: JSON, on: Boolean! = true, ratio: Float): Int
}
type Mutation {
    create(input: CreateInput!): User
    importAll(csv: String!, dryRun: Boolean!): Int
}
interface Node { id: ID! }
type User implements Node { id: ID! name: String kind: Kind friend: User friends(first: Int): [User!] @listSize(assumedSize: 50, slicingArguments: ["first"]) }
type Product implements Node { id: ID! name: String! price: Decimal }
enum Kind { COMPANY PERSON }
input CreateInput { name: String! kind: Kind, tags: [String!], parent: CreateInput, size: Int = 3 }
input Filter { and: [Filter!] name: TextFilter kind: KindFilter }
input TextFilter { eq: String in: [String!] }
input KindFilter { eq: Kind }
input Order @oneOf { name: Int kind: Int }
scalar Decimal
scalar Date
scalar JSON
"#;

pub(crate) fn model() -> Model {
    let scalars = &[("Decimal", Shape::TextOrNumber), ("Date", Shape::Text), ("JSON", Shape::Any)];
    Model::new(SCHEMA, Settings { scalars, longest_page: 200, mark: "__mark" }).unwrap()
}

/// Prepares the only operation of a document, or the named one, with variables given as JSON.
#[expect(clippy::needless_pass_by_value, reason = "calls are given the JSON that they write")]
fn prepare_named(
    document: &str,
    name: Option<&str>,
    variables: serde_json::Value,
) -> Result<Prepared, Vec<Problem>> {
    let body = json!({ "query": document, "operationName": name, "variables": variables }).to_string();
    let prepare = || -> Result<Prepared, Refused> {
        let model = model();
        let parameters = Parameters::from_json(body.as_bytes())?;
        let document = Document::parse(&model, &parameters.query)?;
        let operation = document.operation(parameters.operation_name.as_deref())?;
        operation.prepare(&model, parameters.variables)
    };
    prepare().map_err(|Refused(problems)| problems)
}

fn prepare(document: &str, variables: serde_json::Value) -> Result<Prepared, Vec<Problem>> {
    prepare_named(document, None, variables)
}

/// The variables as the library gets them.
fn coerced(document: &str, variables: serde_json::Value) -> serde_json::Value {
    let prepared = prepare(document, variables).unwrap_or_else(|problems| panic!("{problems:?}"));
    let variables = prepared.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(variables.collect()).into_json().unwrap()
}

/// The path and the message of each problem: `variables.n: Variable $n …`.
fn problems(document: &str, variables: serde_json::Value) -> Vec<String> {
    let problems = prepare(document, variables).expect_err(document);
    problems.iter().map(|problem| format!("{}: {}", problem.field.join("."), problem.message)).collect()
}

/// The name of the limit that a document exceeds, and the number that was found.
#[track_caller]
fn exceeded(document: &str) -> (&'static str, usize) {
    let problems = prepare(document, json!({})).expect_err("the document is accepted");
    match problems.as_slice() {
        [Problem { exceeded: Some(exceeded), .. }] => (exceeded.limit.name, exceeded.found),
        other => panic!("{other:?}"),
    }
}

fn most(name: &str) -> usize {
    let Limit { most, .. } = crate::LIMITS.iter().find(|limit| limit.name == name).unwrap();
    *most
}
