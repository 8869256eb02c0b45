use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, UserError};

use crate::{
    csv::import::RowError,
    entity::Entity,
    registry::{self, MetaTypeId, Registry},
    typed::entity,
    write::payload::{Verb, mutation_of_many},
};

/// How many row errors are answered at most; the first ones show what is wrong.
const MAX_ERRORS: usize = 200;

/// What became of several rows.
pub struct Many<E> {
    /// What was made, in the order of the rows.
    pub created: Vec<E>,
    /// How many rows are in order.
    pub valid: usize,
    /// What is wrong with the others.
    pub row_errors: Vec<RowError>,
    /// Columns of a CSV that fill no field.
    pub ignored_columns: Vec<String>,
}

impl<E> Many<E> {
    pub(crate) fn new(created: Vec<E>, valid: usize, mut row_errors: Vec<RowError>) -> Self {
        row_errors.sort_by_key(|error| error.row);
        row_errors.truncate(MAX_ERRORS);
        Self { created, valid, row_errors, ignored_columns: vec![] }
    }
}

/// The answer of a mutation that makes several entities.
pub struct ManyPayload<V, E> {
    many: Many<E>,
    user_errors: Vec<UserError>,
    verb: PhantomData<fn() -> V>,
}

impl<V, E> ManyPayload<V, E> {
    /// The payload of a mutation, or of one that could not begin.
    ///
    /// # Errors
    /// Everything that is not the user's to mend passes through.
    pub fn of(outcome: Result<Many<E>, Failure>) -> Result<Self, Failure> {
        let (many, user_errors) = Failure::mendable(outcome)?;
        let many = many.unwrap_or_else(|| Many::new(vec![], 0, vec![]));
        Ok(Self { many, user_errors, verb: PhantomData })
    }
}

impl<V: Verb, E: Entity> OutputType for ManyPayload<V, E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}{}Payload", V::NAME, entity::<E>().plural()).into()
    }

    // Nullable wherever it stands: a field that can fail must not take its neighbours with it.
    fn qualified_type_name() -> String {
        Self::type_name().into_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let errors = <Vec<RowError> as OutputType>::create_type_info(registry);
            let user_errors = <Vec<UserError> as OutputType>::create_type_info(registry);
            let entities = format!("[{}!]!", E::NAME);
            let about_errors =
                format!("What is wrong with which row, in order; at most the first {MAX_ERRORS}.");
            let mut fields = vec![
                registry::rows(
                    registry,
                    &registry::BULK,
                    registry::output(E::MANY, &entities, "What was made, in the order of the rows.", vec![]),
                ),
                registry::output("createdCount", "Int!", "How many were made; none by a dry run.", vec![]),
                registry::output("validCount", "Int!", "How many rows are in order.", vec![]),
                registry::output("rowErrors", &errors, &about_errors, vec![]),
                registry::output("userErrors", &user_errors, "Why nothing was done at all.", vec![]),
            ];
            if V::READS_CSV {
                fields.push(registry::output(
                    "ignoredColumns",
                    "[String!]!",
                    "Columns that fill no field.",
                    vec![],
                ));
            }
            registry::object::<Self>(&format!("The answer of `{}`.", mutation_of_many::<V, E>()), fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<V: Verb, E: Entity> ContainerType for ManyPayload<V, E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let many = &self.many;
        match ctx.item.node.name.node.as_str() {
            "createdCount" => Ok(Some(many.created.len().into())),
            "validCount" => Ok(Some(many.valid.into())),
            "rowErrors" => OutputType::resolve(&many.row_errors, &selection, ctx.item).await.map(Some),
            "ignoredColumns" => {
                OutputType::resolve(&many.ignored_columns, &selection, ctx.item).await.map(Some)
            }
            "userErrors" => OutputType::resolve(&self.user_errors, &selection, ctx.item).await.map(Some),
            name if name == E::MANY => {
                OutputType::resolve(&many.created, &selection, ctx.item).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl<V: Verb, E: Entity> ObjectType for ManyPayload<V, E> {}
