//! Deleting and restoring, the same for every entity, and the end of every update.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, InputValueError, InputValueResult, Name,
    ObjectType, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    resolver_utils::resolve_container,
};
use serde_json::json;
use tenancy::{ErrorCode, Event, Failure, Tx};
use uuid::Uuid;

use crate::{
    context::scope,
    entity::Entity,
    read::find::{find_in, find_live_in},
    registry::{self, MetaTypeId, Registry},
    scalar::id::GivenId,
    sql::{change::SoftDelete, condition::Condition, statement::Statement},
    typed::entity,
    write::{
        editable::Changeable,
        payload::{Changed, Delete, Payload, Restore, Verb, answer, mutation},
    },
};

/// `deleteContact` and `restoreContact` for an entity, to be merged into a domain's mutations.
pub struct Lifecycle<E>(PhantomData<fn() -> E>);

impl<E> Default for Lifecycle<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Whether a row is deleted; the two verbs that change it know which they leave behind.
pub(crate) trait DeletedState: Verb {
    /// What the verb leaves behind.
    const DELETED: bool;
    /// What the event says was done.
    const PAST: &'static str;
    /// What the mutation is for, up to the entity's name.
    const ABOUT: &'static str;
}

impl DeletedState for Delete {
    const DELETED: bool = true;
    const PAST: &'static str = "deleted";
    const ABOUT: &'static str = "Hides everywhere a";
}

impl DeletedState for Restore {
    const DELETED: bool = false;
    const PAST: &'static str = "restored";
    const ABOUT: &'static str = "Brings back a deleted";
}

/// The input of a deletion or a restoration: which one, in which revision.
struct Target<V, E> {
    id: GivenId<E>,
    expected_revision: i32,
    verb: PhantomData<fn() -> V>,
}

/// What became of an update that matched on id and revision: the changed row, the row as somebody
/// else left it, or NOT_FOUND for an unknown or deleted one.
///
/// # Errors
/// NOT_FOUND, and what the database refuses.
pub async fn updated<E: Entity>(tx: &Tx, id: Uuid, row: Option<E>) -> Result<Changed<E>, Failure> {
    match row {
        Some(row) => Ok(Changed::Done(row)),
        None => find_live_in(tx, id).await?.map(Changed::Stale).ok_or_else(|| Failure::not_found("id")),
    }
}

async fn change<V: DeletedState, E: Changeable>(
    scope: &tenancy::Scope,
    target: Target<V, E>,
) -> Result<Changed<E>, Failure> {
    // The payload answers the row.
    scope.require(E::READ)?;
    let id = target.id.uuid("id")?;
    let rows = entity::<E>().rows();
    let table = if V::DELETED { rows } else { rows.only_deleted() };
    let conditions = vec![Condition::id(id), Condition::revision(target.expected_revision)];
    let delete = SoftDelete { table, conditions, deleted: V::DELETED };
    scope
        .write(E::WRITE, |tx| async move {
            let marked = E::rows_in(&tx, Statement::SoftDelete(delete)).await?.pop();
            if marked.is_some() {
                tx.publish(Event::new(E::PREFIX, V::PAST, id, json!({})));
            }
            if V::DELETED || marked.is_some() {
                updated(&tx, id, marked).await
            } else {
                not_restored(&tx, id).await
            }
        })
        .await
}

/// Why a restoration found nothing to do: there is no such row, or it is not deleted, or somebody
/// has touched it.
async fn not_restored<E: Entity>(tx: &Tx, id: Uuid) -> Result<Changed<E>, Failure> {
    if find_live_in::<E>(tx, id).await?.is_some() {
        return Err(Failure::user(ErrorCode::InvalidTransition, "id", "It is not deleted."));
    }
    find_in(tx, id).await?.map(Changed::Stale).ok_or_else(|| Failure::not_found("id"))
}

/// The field that tells a change which revision it is based on.
pub(crate) fn expected_revision() -> registry::Input {
    registry::input("expectedRevision", "Int!", "The `revision` you know; CONFLICT if it has changed.")
}

impl<V: DeletedState, E: Entity> InputType for Target<V, E> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}{}Input", V::NAME, E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let id = <GivenId<E> as InputType>::create_type_info(registry);
            let fields = [registry::input("id", &id, "Which one."), expected_revision()];
            registry::input_object::<Self>(&format!("Which {} to {}.", E::ONE, V::FIELD), fields)
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let Some(Value::Object(mut object)) = value else {
            return Err(InputValueError::expected_type(value.unwrap_or_default()));
        };
        let id = InputType::parse(object.swap_remove("id")).map_err(InputValueError::propagate)?;
        let revision = object.swap_remove("expectedRevision");
        let expected_revision = InputType::parse(revision).map_err(InputValueError::propagate)?;
        Ok(Self { id, expected_revision, verb: PhantomData })
    }

    fn to_value(&self) -> Value {
        let revision = Value::from(self.expected_revision);
        let fields = [(Name::new("id"), self.id.to_value()), (Name::new("expectedRevision"), revision)];
        Value::Object(fields.into_iter().collect())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// The mutation as the schema describes it.
pub(crate) fn describe<V: DeletedState, E: Changeable>(registry: &mut Registry) -> registry::Output {
    let payload = <Payload<V, E> as OutputType>::create_type_info(registry);
    let input = <Target<V, E> as InputType>::create_type_info(registry);
    let input = registry::input("input", &input, "Which one.");
    registry::output(&mutation::<V, E>(), &payload, &format!("{} {}.", V::ABOUT, E::ONE), vec![input])
}

/// Carries the mutation out.
async fn resolve<V: DeletedState, E: Changeable>(ctx: &Context<'_>) -> ServerResult<Option<Value>> {
    let (_, target) =
        ctx.param_value::<Target<V, E>>("input", None).map_err(|error| ctx.set_error_path(error))?;
    answer(ctx, async { Payload::<V, E>::of_change(change(scope(ctx)?, target).await) }).await
}

impl<E: Changeable> OutputType for Lifecycle<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Lifecycle", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let mut fields = vec![describe::<Delete, E>(registry)];
            if E::RESTORABLE {
                fields.push(describe::<Restore, E>(registry));
            }
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Changeable> ContainerType for Lifecycle<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        if name == mutation::<Delete, E>() {
            return resolve::<Delete, E>(ctx).await;
        }
        if E::RESTORABLE && name == mutation::<Restore, E>() {
            return resolve::<Restore, E>(ctx).await;
        }
        Ok(None)
    }
}

impl<E: Changeable> ObjectType for Lifecycle<E> {}
