//! The answer of a mutation: the row, what the user has to fix, and further fields.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputObject, ObjectType, OutputType, Positioned,
    ServerResult, SimpleObject, Value, parser::types::Field, resolver_utils::resolve_container,
};
use serde_json::Value as Json;
use tenancy::{ErrorCode, Failure, Recall, Scope, Tx, UserError};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::at,
    entity::Entity,
    read::find,
    registry::{self, MetaType, Registry},
    typed::entity,
};

/// What became of a change that named the revision it was based on.
pub(crate) enum Changed<E> {
    /// Done: the row as it is now.
    Done(E),
    /// Another client was faster: the row as that left it.
    Stale(E),
}

/// The answer of a mutation of one row, with the further fields `X`.
pub(crate) struct Payload<E, X> {
    type_name: String,
    row: Option<E>,
    user_errors: Vec<UserError>,
    further: Option<X>,
}

/// No fields, in a payload or in an input.
#[derive(SimpleObject, InputObject, Clone, Debug, Default)]
#[graphql(input_name = "NothingInput")]
pub struct Nothing {
    /// GraphQL has no types without fields. This one is left out wherever it would stand.
    #[graphql(visible = false)]
    nothing: Option<bool>,
}

impl<E, X> Payload<E, X> {
    /// The payload of this mutation.
    ///
    /// # Errors
    /// All errors but those that the user can fix.
    pub(crate) fn of(
        mutation: &str,
        outcome: Result<(Option<Changed<E>>, Option<X>), Failure>,
    ) -> Result<Self, Failure> {
        let (outcome, mut user_errors) = Failure::mendable(outcome)?;
        let (changed, further) = outcome.unwrap_or_default();
        let row = match changed {
            Some(Changed::Done(row)) => Some(row),
            Some(Changed::Stale(row)) => {
                user_errors.push(stale());
                Some(row)
            }
            None => None,
        };
        Ok(Self { type_name: type_name(mutation), row, user_errors, further })
    }

    /// Answers it for the field that is being resolved.
    pub(crate) async fn answer(this: Result<Self, Failure>, ctx: &Context<'_>) -> ServerResult<Option<Value>>
    where
        E: Entity,
        X: ObjectType,
    {
        let payload = this.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        resolve_container(&selection, &payload).await.map(Some)
    }
}

/// The error of a change that is based on another revision.
pub(crate) fn stale() -> UserError {
    let message = "The row has another revision; the payload has its current state.";
    UserError::new(ErrorCode::Conflict, "expectedRevision", message)
}

/// The type of the payload of a mutation: `CreateContactPayload`.
pub(crate) fn type_name(mutation: &str) -> String {
    format!("{}Payload", crate::any::capital(mutation))
}

/// Describes the payload of a mutation, with these further fields. It is nullable wherever it stands: a
/// field that can fail must not take its neighbours with it.
pub(crate) fn describe<X: ObjectType>(mutation: &str, entity: &AnyEntity, registry: &mut Registry) -> String {
    let errors = <Vec<UserError> as OutputType>::create_type_info(registry);
    let about = format!(
        "The {} as it is now. Null if there are errors; after CONFLICT, its current state.",
        entity.one
    );
    let mut fields = vec![
        registry::output(entity.one, entity.name, &about, vec![]),
        registry::output("userErrors", &errors, "Errors that the user can fix; empty on success.", vec![]),
    ];
    if let MetaType::Object { fields: further, .. } = registry.create_fake_output_type::<X>() {
        let further = further.into_values().filter(|field| field.visible.is_none());
        // Null where there are errors, and in the answer to a repetition.
        fields.extend(further.map(|mut field| {
            field.ty.truncate(field.ty.trim_end_matches('!').len());
            field
        }));
    }
    let me = type_name(mutation);
    let about = format!("The result of `{mutation}`.");
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}

impl<E: Entity, X: ObjectType> OutputType for Payload<E, X> {
    // Never registered: `describe` does that, under the mutation's own name.
    fn type_name() -> Cow<'static, str> {
        format!("{}Payload", E::NAME).into()
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

impl<E: Entity, X: ObjectType> ContainerType for Payload<E, X> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        match (ctx.item.node.name.node.as_str(), &self.further) {
            ("userErrors", _) => OutputType::resolve(&self.user_errors, &selection, ctx.item).await.map(Some),
            (name, _) if name == E::ONE => {
                OutputType::resolve(&self.row, &selection, ctx.item).await.map(Some)
            }
            (_, Some(further)) => further.resolve_field(ctx).await,
            (_, None) => Ok(Some(Value::Null)),
        }
    }
}

impl<E: Entity, X: ObjectType> ObjectType for Payload<E, X> {}

/// What a mutation of one row with an idempotency key did. A repetition finds the row alone again.
pub(crate) struct Made<E, X> {
    pub(crate) row: Option<E>,
    pub(crate) further: Option<X>,
}

impl<E: Entity, X: ObjectType> Recall for Made<E, X> {
    fn ids(&self) -> Vec<Uuid> {
        self.row.iter().map(Entity::id).collect()
    }

    async fn recall(scope: &Scope, tx: &Tx, ids: Vec<Uuid>, _: Option<Json>) -> Result<Self, Failure> {
        Ok(Self { row: recalled(scope, tx, ids).await?.pop(), further: None })
    }
}

/// The rows that an earlier mutation answered, without what the session does not see any more.
pub(crate) async fn recalled<E: Entity>(scope: &Scope, tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    let table = entity::<E>().rows(scope.session()).with_deleted();
    let mut found = find::by_id_in::<E>(tx, &table, ids.clone()).await?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}
