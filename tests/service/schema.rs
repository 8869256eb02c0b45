//! The schema as a whole.

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
};
use expect_test::expect_file;
use serde_json::json;

use crate::harness::{anonymous, http, organisation};

#[test]
fn schema_graphql_is_what_the_code_says() {
    expect_file!["../../schema.graphql"].assert_eq(&gateway::sdl());
}

/// The descriptions are the manual: no type, field, argument or value goes without.
#[test]
fn everything_in_the_schema_has_a_description() {
    let document = parse_schema(gateway::sdl()).unwrap();
    let mut silent = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let (name, definition) = (definition.node.name.node.to_string(), definition.node);
        let mut note = |path: String, description: Option<&str>| {
            if description.is_none_or(|text| text.trim().is_empty()) {
                silent.push(path);
            }
        };
        note(name.clone(), definition.description.as_ref().map(|text| text.node.as_str()));
        match definition.kind {
            TypeKind::Object(object) => {
                fields(&name, object.fields.iter().map(|field| &field.node), &mut note)
            }
            TypeKind::Interface(interface) => {
                fields(&name, interface.fields.iter().map(|field| &field.node), &mut note)
            }
            TypeKind::InputObject(input) => {
                inputs(&name, input.fields.iter().map(|field| &field.node), &mut note)
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    let path = format!("{name}.{}", value.node.value.node);
                    note(path, value.node.description.as_ref().map(|text| text.node.as_str()));
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

fn fields<'a>(
    name: &str,
    fields: impl Iterator<Item = &'a FieldDefinition>,
    note: &mut impl FnMut(String, Option<&str>),
) {
    for field in fields {
        let path = format!("{name}.{}", field.name.node);
        inputs(&path, field.arguments.iter().map(|argument| &argument.node), note);
        note(path, field.description.as_ref().map(|text| text.node.as_str()));
    }
}

fn inputs<'a>(
    name: &str,
    inputs: impl Iterator<Item = &'a InputValueDefinition>,
    note: &mut impl FnMut(String, Option<&str>),
) {
    for input in inputs {
        let path = format!("{name}.{}", input.name.node);
        note(path, input.description.as_ref().map(|text| text.node.as_str()));
    }
}

/// A root field that may be null without an error is one that finds a single record.
#[test]
fn only_what_finds_one_record_is_null_without_an_error() {
    let document = parse_schema(gateway::sdl()).unwrap();
    let roots = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => match definition.node.kind {
            TypeKind::Object(object) if ["Query", "Mutation"].contains(&&*definition.node.name.node) => {
                Some(object.fields)
            }
            _ => None,
        },
        _ => None,
    });
    let is_marked = |field: &FieldDefinition| {
        field.directives.iter().any(|directive| directive.node.name.node == "semanticNonNull")
    };
    let nullable: BTreeSet<String> = roots
        .flatten()
        .map(|field| field.node)
        .filter(|field| field.ty.node.nullable && !is_marked(field))
        .map(|field| field.name.node.to_string())
        .collect();
    let one: BTreeSet<String> =
        gateway::entities().map(|entity| entity.one.to_owned()).chain(["node".to_owned()]).collect();
    assert_eq!(nullable, one);
}

/// What `/schema.graphql` serves is the file, which clients generate their types from.
#[tokio::test]
async fn the_schema_is_served_as_it_is_written_down() {
    let client = anonymous();
    let served = http().get(format!("{}/schema.graphql", client.url)).send().await.unwrap();
    assert_eq!(served.status(), 200);
    assert_eq!(served.text().await.unwrap(), gateway::sdl());
}

/// Introspection is answered from memory; nothing else is.
#[tokio::test]
async fn only_questions_about_the_schema_alone_are_answered_from_memory() {
    let (one, other) = (organisation().await, organisation().await);
    let query = "query A { __schema { types { name description } } } query B { __typename }";
    let body = |operation| json!({ "query": query, "operationName": operation }).to_string();
    let first = anonymous().send(&body("A")).await;
    assert!(first.at("/data/__schema/types/0/name").is_string());
    assert_eq!(one.send(&body("A")).await.text, first.text);
    assert_eq!(one.send(&body("B")).await.body, json!({ "data": { "__typename": "Query" } }));
    assert_eq!(one.send(&body("A")).await.text, first.text);

    let mixed = "{ __typename ...F } fragment F on Query { organisation { id } }";
    for client in [&one, &other] {
        let answer = client.run(mixed, json!({})).await;
        assert_eq!(*answer.at("/data/organisation/id"), client.log_in["organisation"]["id"]);
    }
}
