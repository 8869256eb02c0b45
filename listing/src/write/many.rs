//! The answer of a mutation of several rows.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tenancy::{Failure, Recall, Scope, Tx, UserError};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::at,
    csv::import::RowError,
    entity::Entity,
    registry::{self, Registry},
    write::payload::{self, type_name},
};

/// How many row errors are answered at most; the first ones show what is wrong.
const MAX_ERRORS: usize = 200;

/// What became of several rows.
pub struct Many<E> {
    /// What was written, in the order of the input; in the answer to a repetition without what the
    /// session does not see any more.
    pub written: Vec<E>,
    /// How many there are of each kind.
    pub counts: Counts,
    /// What is wrong with the others.
    pub row_errors: Vec<RowError>,
    /// Columns of a CSV that fill no field.
    pub ignored_columns: Vec<String>,
}

/// How many of several rows were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many are new.
    pub created: usize,
    /// How many were there before.
    pub changed: usize,
    /// How many are valid, whether they were written or not.
    pub valid: usize,
}

impl<E> Many<E> {
    pub(crate) fn new(written: Vec<E>, counts: Counts, mut row_errors: Vec<RowError>) -> Self {
        row_errors.sort_by_key(|error| error.index);
        row_errors.truncate(MAX_ERRORS);
        Self { written, counts, row_errors, ignored_columns: vec![] }
    }
}

/// What a repetition answers beside the rows.
#[derive(Serialize, Deserialize)]
struct Outcome {
    counts: Counts,
    errors: Vec<RowError>,
}

impl<E: Entity> Recall for Many<E> {
    fn ids(&self) -> Vec<Uuid> {
        self.written.iter().map(Entity::id).collect()
    }

    fn outcome(&self) -> Option<Json> {
        let Self { counts, row_errors, .. } = self;
        serde_json::to_value(Outcome { counts: *counts, errors: row_errors.clone() }).ok()
    }

    async fn recall(scope: &Scope, tx: &Tx, ids: Vec<Uuid>, outcome: Option<Json>) -> Result<Self, Failure> {
        let Some(outcome) = outcome else {
            return Err(Failure::internal("a key of several rows without counts"));
        };
        let Outcome { counts, errors } = serde_json::from_value(outcome).map_err(Failure::internal)?;
        Ok(Self::new(payload::recalled(scope, tx, ids).await?, counts, errors))
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
        let many = many.unwrap_or_else(|| Many::new(vec![], Counts::default(), vec![]));
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
    let about_count = format!("The number of rows that were {past}; 0 for a dry run.");
    let about_errors = format!("Errors of single rows, in order; at most the first {MAX_ERRORS}.");
    let rows = registry::output(entity.many, &rows, &about_rows, vec![]);
    let mut fields = vec![
        registry::rows(registry, &registry::BULK, rows),
        registry::output(&format!("{past}Count"), "Int!", &about_count, vec![]),
        registry::output("validCount", "Int!", "The number of valid rows.", vec![]),
        registry::output("rowErrors", &errors, &about_errors, vec![]),
        registry::output("userErrors", &user_errors, "Errors that concern the input as a whole.", vec![]),
    ];
    if reads_csv {
        let about = "The number of existing rows that were changed; 0 for a dry run.";
        fields.push(registry::output("updatedCount", "Int!", about, vec![]));
        let about = "Columns that filled no field.";
        fields.push(registry::output("ignoredColumns", "[String!]!", about, vec![]));
    }
    let me = type_name(mutation);
    let about = format!("The result of `{mutation}`.");
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
            "validCount" => Ok(Some(many.counts.valid.into())),
            "rowErrors" => OutputType::resolve(&many.row_errors, &selection, ctx.item).await.map(Some),
            "ignoredColumns" => {
                OutputType::resolve(&many.ignored_columns, &selection, ctx.item).await.map(Some)
            }
            "userErrors" => OutputType::resolve(&self.user_errors, &selection, ctx.item).await.map(Some),
            name if name == E::MANY => {
                OutputType::resolve(&many.written, &selection, ctx.item).await.map(Some)
            }
            "createdCount" => Ok(Some(many.counts.created.into())),
            name if name.ends_with("Count") => Ok(Some(many.counts.changed.into())),
            _ => Ok(None),
        }
    }
}

impl<E: Entity> ObjectType for ManyPayload<E> {}
