use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{ErrorCode, Failure, Recall, Tx, UserError};
use uuid::Uuid;

use crate::{
    context::at,
    entity::Entity,
    read::find::find_many_in,
    registry::{self, MetaTypeId, Registry},
    typed::entity,
};

/// What a mutation does, for the names of its types.
pub trait Verb: Send + Sync + 'static {
    /// As the types begin: `Create`.
    const NAME: &'static str;
    /// As the mutation begins: `create`.
    const FIELD: &'static str;
    /// Whether it reads a CSV.
    const READS_CSV: bool = false;
}

/// Makes a new entity.
pub struct Create;
/// Changes an entity.
pub struct Update;
/// Hides an entity, until it is restored or purged.
pub struct Delete;
/// Brings a deleted entity back.
pub struct Restore;
/// Makes several entities.
pub(crate) struct CreateMany;
/// Makes entities from a CSV.
pub(crate) struct Import;

impl Verb for Create {
    const NAME: &'static str = "Create";
    const FIELD: &'static str = "create";
}
impl Verb for CreateMany {
    const NAME: &'static str = "Create";
    const FIELD: &'static str = "create";
}
impl Verb for Import {
    const NAME: &'static str = "Import";
    const FIELD: &'static str = "import";
    const READS_CSV: bool = true;
}
impl Verb for Update {
    const NAME: &'static str = "Update";
    const FIELD: &'static str = "update";
}
impl Verb for Delete {
    const NAME: &'static str = "Delete";
    const FIELD: &'static str = "delete";
}
impl Verb for Restore {
    const NAME: &'static str = "Restore";
    const FIELD: &'static str = "restore";
}

/// The mutation that does this to one entity: `createContact`.
pub(crate) fn mutation<V: Verb, E: Entity>() -> String {
    format!("{}{}", V::FIELD, E::NAME)
}

/// The mutation that does this to several: `createContacts`.
pub(crate) fn mutation_of_many<V: Verb, E: Entity>() -> String {
    format!("{}{}", V::FIELD, entity::<E>().plural())
}

/// Answers a payload, or what refused it.
pub(crate) async fn answer(
    ctx: &Context<'_>,
    payload: impl Future<Output = Result<impl OutputType, Failure>>,
) -> ServerResult<Option<Value>> {
    let payload = payload.await.map_err(|failure| at(ctx, failure))?;
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    OutputType::resolve(&payload, &selection, ctx.item).await.map(Some)
}

/// What became of a change that named the revision it was based on.
pub enum Changed<E> {
    /// Done: the entity as it is now.
    Done(E),
    /// Somebody was faster: the entity as they left it.
    Stale(E),
}

/// The answer of a mutation: the entity, and what the user has to mend.
pub struct Payload<V, E> {
    entity: Option<E>,
    user_errors: Vec<UserError>,
    verb: PhantomData<fn() -> V>,
}

impl<V, E> Payload<V, E> {
    /// The payload of a mutation that makes something.
    ///
    /// # Errors
    /// Everything that is not the user's to mend passes through.
    pub fn of(outcome: Result<E, Failure>) -> Result<Self, Failure> {
        let (entity, user_errors) = Failure::mendable(outcome)?;
        Ok(Self { entity, user_errors, verb: PhantomData })
    }

    /// The payload of a mutation that changes something.
    ///
    /// # Errors
    /// Everything that is not the user's to mend passes through.
    pub fn of_change(outcome: Result<Changed<E>, Failure>) -> Result<Self, Failure> {
        match outcome {
            Ok(Changed::Done(entity)) => Self::of(Ok(entity)),
            Err(failure) => Self::of(Err(failure)),
            Ok(Changed::Stale(current)) => {
                let message = "It has changed since you read it; here is its current state.";
                let stale = UserError::new(ErrorCode::Conflict, "expectedRevision", message);
                Ok(Self { entity: Some(current), user_errors: vec![stale], verb: PhantomData })
            }
        }
    }
}

/// An entity, or all of a bulk, as the tenancy crate remembers it under an idempotency key.
pub(crate) async fn recall_all<E: Entity>(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    let mut found: HashMap<Uuid, E> =
        find_many_in::<E>(tx, ids.clone()).await?.into_iter().map(|row| (row.id(), row)).collect();
    let gone = || Failure::not_found("idempotencyKey");
    ids.iter().map(|id| found.remove(id).ok_or_else(gone)).collect()
}

/// What a keyed mutation made, found again for its repetition.
pub struct Made<E>(pub Vec<E>);

impl<E: Entity> Recall for Made<E> {
    fn ids(&self) -> Vec<Uuid> {
        self.0.iter().map(Entity::id).collect()
    }

    async fn recall(tx: &Tx, ids: Vec<Uuid>) -> Result<Self, Failure> {
        recall_all(tx, ids).await.map(Self)
    }
}

impl<E: Entity> Made<E> {
    /// The one entity that a mutation of one makes.
    ///
    /// # Errors
    /// A fault of ours if there is none.
    pub fn one(mut self) -> Result<E, Failure> {
        self.0.pop().ok_or_else(|| Failure::internal("a mutation made nothing"))
    }
}

impl<V: Verb, E: Entity> OutputType for Payload<V, E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}{}Payload", V::NAME, E::NAME).into()
    }

    // Nullable wherever it stands: a field that can fail must not take its neighbours with it.
    fn qualified_type_name() -> String {
        Self::type_name().into_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let entity = registry::nullable::<E>(registry);
            let errors = <Vec<UserError> as OutputType>::create_type_info(registry);
            let about = format!(
                "The {} as it is now; null if there are errors, unless somebody else changed it meanwhile.",
                E::ONE
            );
            let fields = [
                registry::output(E::ONE, &entity, &about, vec![]),
                registry::output("userErrors", &errors, "What to mend; empty if it was done.", vec![]),
            ];
            registry::object::<Self>(&format!("The answer of `{}`.", mutation::<V, E>()), fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<V: Verb, E: Entity> ContainerType for Payload<V, E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        match ctx.item.node.name.node.as_str() {
            "userErrors" => OutputType::resolve(&self.user_errors, &selection, ctx.item).await.map(Some),
            name if name == E::ONE => OutputType::resolve(&self.entity, &selection, ctx.item).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl<V: Verb, E: Entity> ObjectType for Payload<V, E> {}
