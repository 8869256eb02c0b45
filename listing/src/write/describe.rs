//! The inputs of an entity's mutations, as the schema describes them.

use crate::{
    any::AnyEntity,
    field::{Field, Given, Presence},
    limits::MAX_ROWS,
    read::json::Json,
    registry::{self, Input, Registry},
    rule::Rule,
    write::{
        input::{describe_id, describe_key, describe_revision},
        reading::fields,
    },
};

/// One field that clients can give.
fn field(entity: &AnyEntity, field: &Field, given: Given, changing: bool, registry: &mut Registry) -> Input {
    let shape = field.shape;
    let ty = match given.rule {
        Rule::Parts(parts) => (parts.describe)(registry),
        _ => shape.kind.describe(registry),
    };
    let may_be_absent = changing || !matches!(given.presence, Presence::Required);
    let ty = if may_be_absent { ty.trim_end_matches('!').to_owned() } else { ty };
    let mut about = registry::about(registry, entity.name, shape.name);
    let rule = given.rule.about();
    if !rule.is_empty() {
        about = format!("{about} {rule}");
    }
    if changing && !matches!(given.presence, Presence::Optional) {
        about = format!("{about} Cannot be emptied.");
    }
    let mut input = registry::input(shape.name, &ty, &about);
    if let Rule::Line(max) | Rule::Lines(max) = given.rule {
        input = registry::longest(registry, max, input);
    }
    match given.presence {
        Presence::Default(value) if !changing => {
            registry::defaulted(input, Json::literal(shape.kind, &value()))
        }
        _ => input,
    }
}

fn new_fields(entity: &AnyEntity, registry: &mut Registry) -> Vec<Input> {
    fields(entity).map(|(known, given)| field(entity, known, given, false, registry)).collect()
}

fn define(me: &str, about: &str, inputs: Vec<Input>, registry: &mut Registry) -> String {
    registry::define(registry, me, |_| registry::input_object_named(me, about, inputs))
}

/// `CreateContactInput`.
pub(crate) fn create(entity: &AnyEntity, registry: &mut Registry) -> String {
    let row = new_row(entity, registry);
    let about = format!("The new {}.", entity.one);
    let inputs = vec![registry::input(entity.one, &format!("{row}!"), &about), describe_key()];
    let about = format!("The input of `create{}`.", entity.name);
    define(&format!("Create{}Input", entity.name), &about, inputs, registry)
}

/// `NewContactInput`: alone, or one of several.
pub(crate) fn new_row(entity: &AnyEntity, registry: &mut Registry) -> String {
    let inputs = new_fields(entity, registry);
    define(&format!("New{}Input", entity.name), &format!("A new {}.", entity.one), inputs, registry)
}

/// `UpdateContactInput`.
pub(crate) fn update(entity: &AnyEntity, mutation: &str, registry: &mut Registry) -> String {
    let mut inputs = vec![describe_id(), describe_revision(true)];
    for (known, given) in fields(entity).filter(|(_, given)| !given.fixed) {
        inputs.push(field(entity, known, given, true, registry));
    }
    let about =
        format!("Changes to a {}. A field that is absent stays as it is; null empties it.", entity.one);
    define(&type_of(mutation), &about, inputs, registry)
}

/// `DeleteContactInput`, `RestoreContactInput`.
pub(crate) fn revision(mutation: &str, registry: &mut Registry) -> String {
    let about = format!("The row for `{mutation}`.");
    define(&type_of(mutation), &about, vec![describe_id(), describe_revision(true)], registry)
}

/// `RevisionInput`: one of several rows.
pub(crate) fn revision_row(registry: &mut Registry) -> String {
    let inputs = vec![describe_id(), describe_revision(true)];
    define("RevisionInput", "A row, in the revision that the client knows.", inputs, registry)
}

/// The input of a mutation of several rows.
pub(crate) fn many(entity: &AnyEntity, mutation: &str, row: &str, registry: &mut Registry) -> String {
    let about_rows = format!("The rows: at most {MAX_ROWS}.");
    let about_skip =
        "Writes the valid rows even if others are invalid. By default, one invalid row prevents all.";
    let inputs = vec![
        registry::input(entity.many, &format!("[{row}!]!"), &about_rows),
        registry::defaulted(registry::input("skipInvalid", "Boolean!", about_skip), false),
        registry::defaulted(registry::input("dryRun", "Boolean!", "Only validates; writes nothing."), false),
        describe_key(),
    ];
    define(&type_of(mutation), &format!("Several {}.", entity.many), inputs, registry)
}

fn type_of(mutation: &str) -> String {
    format!("{}Input", crate::any::capital(mutation))
}

/// What `importContacts` does.
pub(crate) fn about_import(entity: &AnyEntity, key: Option<&str>) -> String {
    let known = key.map(|key| {
        format!(
            " A row whose `{key}` the organisation has already changes that record; empty cells, and columns that \
             the file does not have, change nothing."
        )
    });
    format!(
        "Imports {} from a CSV. One invalid row prevents all, unless `skipInvalid` is true. Several values of one \
         field stand in one cell, separated by semicolons; a list that needs more than that is JSON. What an \
         export contains can be imported.{}",
        entity.many,
        known.unwrap_or_default()
    )
}
