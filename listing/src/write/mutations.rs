//! The mutations that every plain entity has: create, update, create many, import, delete, restore.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, ObjectType, OutputType, Positioned, ServerResult,
    Value, parser::types::Field as Selection, resolver_utils::resolve_container,
};

use crate::{
    context::{given, scope},
    csv::import::ImportInput,
    field::{Field, Given, Presence},
    limits::MAX_ROWS,
    read::json::Json,
    registry::{self, Input, MetaTypeId, Output, Registry},
    rule::Rule,
    scalar::id::GivenId,
    typed::entity,
    write::{
        editable::Editable,
        editing,
        lifecycle::{self, Lifecycle},
        many::ManyPayload,
        payload::{
            Create, CreateMany, Delete, Import, Payload, Restore, Update, answer, mutation, mutation_of_many,
        },
        reading::fields,
    },
};

/// `createContact`, `updateContact`, `deleteContact`, `restoreContact`, `createContacts` and
/// `importContacts` for an entity, to be merged into a domain's mutations.
pub struct Mutations<E>(PhantomData<fn() -> E>);

impl<E> Default for Mutations<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

const ABOUT_KEY: &str = "Any text that names this wish: repeated with the same input it answers the same again, \
                         for 24 hours.";

/// The description of one field that clients can give.
fn describe_field<E: Editable>(
    registry: &mut Registry,
    field: &Field,
    given: Given,
    changing: bool,
) -> Input {
    let shape = field.shape;
    let ty = match given.rule {
        Rule::Parts(parts) => (parts.describe)(registry),
        _ => shape.kind.describe(registry),
    };
    let may_be_absent = changing || !matches!(given.presence, Presence::Required);
    let ty = if may_be_absent { ty.trim_end_matches('!').to_owned() } else { ty };
    let mut about = registry::about(registry, E::NAME, shape.name);
    let rule = given.rule.about();
    if !rule.is_empty() {
        about = format!("{about} {rule}");
    }
    match given.presence {
        Presence::Default(value) if !changing => {
            about = format!("{about} `{}` unless told.", Json::literal(shape.kind, &value()));
        }
        Presence::Optional => {}
        _ if changing => about = format!("{about} Cannot be emptied."),
        _ => {}
    }
    registry::input(shape.name, &ty, &about)
}

fn describe_new<E: Editable>(registry: &mut Registry, keyed: bool) -> String {
    let me = if keyed { format!("Create{}Input", E::NAME) } else { format!("New{}Input", E::NAME) };
    let mut inputs: Vec<Input> = vec![];
    for (field, given) in fields(entity::<E>()) {
        inputs.push(describe_field::<E>(registry, field, given, false));
    }
    if keyed {
        inputs.push(registry::input("idempotencyKey", "String", ABOUT_KEY));
    }
    let about = format!("A new {}.", E::ONE);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, inputs))
}

fn describe_change<E: Editable>(registry: &mut Registry) -> String {
    let me = format!("Update{}Input", E::NAME);
    let id = <GivenId<E> as InputType>::create_type_info(registry);
    let mut inputs = vec![registry::input("id", &id, "Which one."), lifecycle::expected_revision()];
    for (field, given) in fields(entity::<E>()).filter(|(_, given)| !given.fixed) {
        inputs.push(describe_field::<E>(registry, field, given, true));
    }
    let about = format!(
        "What to change of a {}: a field that is absent stays, a null empties it where it may be empty.",
        E::ONE
    );
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, inputs))
}

fn describe_many<E: Editable>(registry: &mut Registry) -> String {
    let me = format!("Create{}Input", entity::<E>().plural());
    let list = format!("[{}!]!", describe_new::<E>(registry, false));
    let about_list = format!("The new {}: at most {}.", E::MANY, MAX_ROWS);
    let about_skip = "Make those that are in order and leave the others out, instead of none at all.";
    let inputs = [
        registry::input(E::MANY, &list, &about_list),
        registry::input("skipInvalid", "Boolean", about_skip),
        registry::input("dryRun", "Boolean", "Only tell what would happen."),
        registry::input("idempotencyKey", "String", ABOUT_KEY),
    ];
    let about = format!("Many new {}.", E::MANY);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, inputs))
}

fn describe_import<E: Editable>() -> String {
    let columns: Vec<&str> = editing::csv_columns::<E>();
    format!(
        "Adds the {} of a CSV, all or none unless `skipInvalid`; with `dryRun` only tells what is wrong. \
         A column fills the field of its name: {}. Several values of one field stand in one cell, with a \
         semicolon between them.",
        E::MANY,
        columns.join(", ")
    )
}

impl<E: Editable> OutputType for Mutations<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Mutations", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            E::create_type_info(registry);
            let input = |ty: &str, about: &str| vec![registry::input("input", &format!("{ty}!"), about)];
            let one = describe_new::<E>(registry, true);
            let change = describe_change::<E>(registry);
            let many = describe_many::<E>(registry);
            let csv = <ImportInput as InputType>::create_type_info(registry);
            let created = <Payload<Create, E> as OutputType>::create_type_info(registry);
            let changed = <Payload<Update, E> as OutputType>::create_type_info(registry);
            let created_many = <ManyPayload<CreateMany, E> as OutputType>::create_type_info(registry);
            let imported = <ManyPayload<Import, E> as OutputType>::create_type_info(registry);
            let about_many = format!("Adds several {}, all or none unless `skipInvalid`.", E::MANY);
            let fields: Vec<Output> = vec![
                registry::output(
                    &mutation::<Create, E>(),
                    &created,
                    &format!("Adds a {}.", E::ONE),
                    input(&one, "The new one."),
                ),
                registry::output(
                    &mutation::<Update, E>(),
                    &changed,
                    &format!("Changes the given fields of a {}.", E::ONE),
                    input(&change, "Which one, and what to change."),
                ),
                registry::output(
                    &mutation_of_many::<CreateMany, E>(),
                    &created_many,
                    &about_many,
                    input(&many, "The new ones."),
                ),
                registry::output(
                    &mutation_of_many::<Import, E>(),
                    &imported,
                    &describe_import::<E>(),
                    vec![registry::input("input", &csv, "The CSV and how to read it.")],
                ),
                lifecycle::describe::<Delete, E>(registry),
                lifecycle::describe::<Restore, E>(registry),
            ];
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Selection>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

/// The input of the mutation that is being resolved.
fn input(ctx: &Context<'_>) -> Value {
    given(ctx, "input").unwrap_or_default()
}

impl<E: Editable> ContainerType for Mutations<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        if name == mutation::<Create, E>() {
            let given = input(ctx);
            let made = async { Payload::<Create, E>::of(editing::create(scope(ctx)?, given).await) };
            return answer(ctx, made).await;
        }
        if name == mutation::<Update, E>() {
            let given = input(ctx);
            let made = async { Payload::<Update, E>::of_change(editing::update(scope(ctx)?, given).await) };
            return answer(ctx, made).await;
        }
        if name == mutation_of_many::<CreateMany, E>() {
            let given = input(ctx);
            let made =
                async { ManyPayload::<CreateMany, E>::of(editing::create_many(scope(ctx)?, given).await) };
            return answer(ctx, made).await;
        }
        if name == mutation_of_many::<Import, E>() {
            let given = ImportInput::parse(Some(input(ctx)));
            let given = given.map_err(|error| ctx.set_error_path(error.into_server_error(ctx.item.pos)))?;
            let made = async { ManyPayload::<Import, E>::of(editing::import(scope(ctx)?, given).await) };
            return answer(ctx, made).await;
        }
        Lifecycle::<E>::default().resolve_field(ctx).await
    }
}

impl<E: Editable> ObjectType for Mutations<E> {}
