//! The answer of a mutation of several rows.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, UserError};

use crate::{
    any::AnyEntity,
    context::at,
    csv::import::RowError,
    entity::Entity,
    registry::{self, Registry},
    write::payload::type_name,
};

/// How many row errors are answered at most; the first ones show what is wrong.
const MAX_ERRORS: usize = 200;

/// What became of several rows.
pub struct Many<E> {
    /// What was written, in the order of the input.
    pub written: Vec<E>,
    /// How many of them are new.
    pub created: usize,
    /// How many of them were there before.
    pub updated: usize,
    /// How many rows are valid.
    pub valid: usize,
    /// What is wrong with the others.
    pub row_errors: Vec<RowError>,
    /// Columns of a CSV that fill no field.
    pub ignored_columns: Vec<String>,
}

impl<E> Many<E> {
    pub(crate) fn new(written: Vec<E>, valid: usize, mut row_errors: Vec<RowError>) -> Self {
        row_errors.sort_by_key(|error| error.row);
        row_errors.truncate(MAX_ERRORS);
        let (created, updated) = (written.len(), written.len());
        Self { written, created, updated, valid, row_errors, ignored_columns: vec![] }
    }
}

/// The answer of a mutation of several rows.
pub(crate) struct ManyPayload<E> {
    type_name: String,
    many: Many<E>,
    user_errors: Vec<UserError>,
}

impl<E: Entity> ManyPayload<E> {
    /// Answers the payload of this mutation for the field that is being resolved.
    pub(crate) async fn answer(
        mutation: &str,
        outcome: Result<Many<E>, Failure>,
        ctx: &Context<'_>,
    ) -> ServerResult<Option<Value>> {
        let (many, user_errors) = Failure::mendable(outcome).map_err(|failure| at(ctx, failure))?;
        let many = many.unwrap_or_else(|| Many::new(vec![], 0, vec![]));
        let payload = Self { type_name: type_name(mutation), many, user_errors };
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        resolve_container(&selection, &payload).await.map(Some)
    }
}

/// Describes the payload of a mutation of several rows; `past` is what it does to them: `created`.
/// Nullable wherever it stands: a field that can fail must not take its neighbours with it.
pub(crate) fn describe(
    mutation: &str,
    past: &str,
    reads_csv: bool,
    entity: &AnyEntity,
    registry: &mut Registry,
) -> String {
    let errors = <Vec<RowError> as OutputType>::create_type_info(registry);
    let user_errors = <Vec<UserError> as OutputType>::create_type_info(registry);
    let rows = format!("[{}!]!", entity.name);
    let about_rows = format!("The rows that were {past}, in the order of the input.");
    let about_count = format!("How many rows were {past}; 0 for a dry run.");
    let about_errors = format!("Errors of single rows, in order; at most the first {MAX_ERRORS}.");
    let rows = registry::output(entity.many, &rows, &about_rows, vec![]);
    let mut fields = vec![
        registry::rows(registry, &registry::BULK, rows),
        registry::output(&format!("{past}Count"), "Int!", &about_count, vec![]),
        registry::output("validCount", "Int!", "How many rows are valid.", vec![]),
        registry::output("rowErrors", &errors, &about_errors, vec![]),
        registry::output("userErrors", &user_errors, "Errors that concern the input as a whole.", vec![]),
    ];
    if reads_csv {
        let about = "How many rows were changed, because their key was known; 0 for a dry run.";
        fields.push(registry::output("updatedCount", "Int!", about, vec![]));
        let about = "Columns that fill no field.";
        fields.push(registry::output("ignoredColumns", "[String!]!", about, vec![]));
    }
    let me = type_name(mutation);
    let about = format!("The answer of `{mutation}`.");
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}

impl<E: Entity> OutputType for ManyPayload<E> {
    // Never registered: `describe` does that, under the mutation's own name.
    fn type_name() -> Cow<'static, str> {
        format!("{}ManyPayload", E::NAME).into()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.type_name.clone().into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::type_name().into_owned()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for ManyPayload<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let many = &self.many;
        match ctx.item.node.name.node.as_str() {
            "validCount" => Ok(Some(many.valid.into())),
            "rowErrors" => OutputType::resolve(&many.row_errors, &selection, ctx.item).await.map(Some),
            "ignoredColumns" => {
                OutputType::resolve(&many.ignored_columns, &selection, ctx.item).await.map(Some)
            }
            "userErrors" => OutputType::resolve(&self.user_errors, &selection, ctx.item).await.map(Some),
            name if name == E::MANY => {
                OutputType::resolve(&many.written, &selection, ctx.item).await.map(Some)
            }
            "createdCount" => Ok(Some(many.created.into())),
            "updatedCount" => Ok(Some(many.updated.into())),
            name if name.ends_with("Count") => Ok(Some(many.written.len().into())),
            _ => Ok(None),
        }
    }
}

impl<E: Entity> ObjectType for ManyPayload<E> {}
