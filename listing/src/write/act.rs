//! Acts: mutations that are steps of a row, such as completing a task. All of them go the same way:
//! permission, idempotency key, the row as the session sees it under a lock, its revision, the step
//! itself, the event, the payload.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue,
    parser::types::Field,
    resolver_utils::{EnumType, resolve_container},
};
use serde_json::json;
use tenancy::{ErrorCode, Event, Failure, Permission, Scope, UserError, retried};
use uuid::Uuid;

use crate::{
    any::capital,
    context::scope,
    entity::Entity,
    members::Members,
    registry::{self, MetaType, MetaTypeId, Registry},
    scalar::id::Identified,
    typed::entity,
    write::{
        input::{self, Input},
        payload::{self, Changed, Made, Payload},
        work::Work,
    },
};

/// A mutation that is a step of one row.
pub trait Act: Send + Sync + 'static {
    /// Whose step it is.
    type Row: Entity;
    /// The step's own input fields; [`crate::Nothing`] if there are none. `id`, `expectedRevision` and
    /// `idempotencyKey` are added to them.
    type Input: InputType + 'static;
    /// Further fields of the payload, such as a secret that is shown once; [`crate::Nothing`] if there
    /// are none. They are null where there are errors, and in the answer to a repetition.
    type Further: ObjectType + 'static;
    /// The mutation: `completeTask`.
    const NAME: &'static str;
    /// What it does, for the schema.
    const ABOUT: &'static str;
    /// What a client must hold, beside being able to read the row.
    const NEEDS: Permission;
    /// The verb of its event, in the past: `completed`. Absent if it publishes events itself, or none.
    const PAST: Option<&'static str>;
    /// Whether [`Act::lock_parents`] locks something.
    const LOCKS_PARENTS: bool = false;

    /// Locks rows that must be locked before the act's own row, to keep the one order of locks. The row
    /// is not locked yet: use only what never changes of it.
    fn lock_parents(_work: &Work<'_>, _row: &Self::Row) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// The step itself, on the row as it is under the lock.
    ///
    /// # Errors
    /// INVALID fields of the input, INVALID_TRANSITION, NOT_ALLOWED.
    fn run(
        work: &Work<'_>,
        row: Self::Row,
        input: Self::Input,
    ) -> impl Future<Output = Result<Done<Self::Row, Self::Further>, Failure>> + Send;
}

/// What a step has done.
pub struct Done<E, X> {
    row: E,
    details: serde_json::Value,
    further: Option<X>,
}

impl<E, X> Done<E, X> {
    /// The row as the step left it.
    pub fn with(row: E) -> Self {
        Self { row, details: json!({}), further: None }
    }

    /// Puts these details into the event.
    #[must_use]
    pub fn details(self, details: serde_json::Value) -> Self {
        Self { details, ..self }
    }

    /// Answers these further fields.
    #[must_use]
    pub fn further(self, further: X) -> Self {
        Self { further: Some(further), ..self }
    }
}

/// A state that changes by steps.
pub trait Steps: EnumType {
    /// Which state may follow which.
    const ALLOWED: &'static [(Self, Self)];

    /// The state as GraphQL and the database call it.
    fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("", |item| item.name)
    }

    /// Passes to another state.
    ///
    /// # Errors
    /// INVALID_TRANSITION with `details: {from, to, allowed}`.
    fn step(self, to: Self) -> Result<Self, Failure> {
        if Self::ALLOWED.contains(&(self, to)) {
            return Ok(to);
        }
        let allowed = Self::ALLOWED.iter().filter(|(from, _)| *from == self).map(|(_, to)| to.name());
        let allowed: Vec<&str> = allowed.collect();
        let message = format!("It is {}; it cannot become {}.", self.name(), to.name());
        let error = UserError::new(ErrorCode::InvalidTransition, "id", message);
        let details = json!({ "from": self.name(), "to": to.name(), "allowed": allowed });
        Err(Failure::User(vec![error.with_details(details)]))
    }

    /// Passes if the state is one of these, which an act needs.
    ///
    /// # Errors
    /// INVALID_TRANSITION with `details: {from, allowed}`: the state, and those that the act needs.
    fn require(self, needed: &[Self]) -> Result<(), Failure> {
        if needed.contains(&self) {
            return Ok(());
        }
        let needed: Vec<&str> = needed.iter().map(|state| state.name()).collect();
        let message = format!("It is {}; this is for {}.", self.name(), needed.join(", "));
        let error = UserError::new(ErrorCode::InvalidTransition, "id", message);
        let details = json!({ "from": self.name(), "allowed": needed });
        Err(Failure::User(vec![error.with_details(details)]))
    }
}

/// Carries an act out.
async fn run<A: Act>(
    scope: &Scope,
    mut input: Input,
) -> Result<(Option<Changed<A::Row>>, Option<A::Further>), Failure> {
    scope.require(A::NEEDS)?;
    entity::<A::Row>().require(scope)?;
    let key = input.key(A::NAME)?;
    let (id, revision) = (input.id::<A::Row>()?, input.revision()?);
    let input = A::Input::parse(Some(GraphQLValue::Object(input.rest())));
    let input = input.map_err(|error| {
        let error = error.into_server_error(async_graphql::Pos::default());
        Failure::user(ErrorCode::Invalid, "", error.message)
    })?;
    // A stale revision writes nothing, and so does not use the key up.
    let mut stale = None;
    let seen = &mut stale;
    let acted = scope.write_once(A::NEEDS, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let row = find::<A>(&work, id).await?;
        if revision.is_some_and(|revision| revision != row.revision()) {
            *seen = Some(row);
            return Err(Failure::User(vec![]));
        }
        let done = A::run(&work, row, input).await?;
        if let Some(past) = A::PAST {
            tx.publish(Event::new(A::Row::PREFIX, past, id, done.details));
        }
        Ok(Made { row: Some(done.row), further: done.further })
    });
    match (acted.await, stale) {
        (Ok(acted), _) => Ok((acted.row.map(Changed::Done), acted.further)),
        (Err(_), Some(row)) => Ok((Some(Changed::Stale(row)), None)),
        (Err(failure), None) => Err(failure),
    }
}

/// The row of an act, locked, after the rows that are to be locked before it.
async fn find<A: Act>(work: &Work<'_>, id: Uuid) -> Result<A::Row, Failure> {
    let unknown = || Failure::not_found("id");
    if A::LOCKS_PARENTS {
        let row = work.find::<A::Row>(id).await?.ok_or_else(unknown)?;
        A::lock_parents(work, &row).await?;
    }
    work.lock::<A::Row>(id).await?.ok_or_else(unknown)
}

/// The mutation of an act, to be put into a domain's mutations.
pub struct ActMutation<A>(PhantomData<fn() -> A>);

impl<A> Default for ActMutation<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl Members {
    /// These, and the mutation of an act.
    #[must_use]
    pub fn act<A: Act>(self) -> Self {
        let members = self.with(ActMutation::<A>::default());
        match A::PAST {
            Some(past) => members.publishing(A::Row::PREFIX, past),
            None => members,
        }
    }
}

fn describe_input<A: Act>(registry: &mut Registry) -> String {
    let me = format!("{}Input", capital(A::NAME));
    let mut inputs = vec![input::describe_id()];
    if let MetaType::InputObject { input_fields, .. } = registry.create_fake_input_type::<A::Input>() {
        inputs.extend(input_fields.into_values().filter(|field| field.visible.is_none()));
    }
    inputs.extend([input::describe_revision(false), input::describe_key()]);
    let about = format!("The input of `{}`.", A::NAME);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, inputs))
}

impl<A: Act> OutputType for ActMutation<A> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Mutation", capital(A::NAME)).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            A::Row::create_type_info(registry);
            let input = format!("{}!", describe_input::<A>(registry));
            let input = registry::input("input", &input, "Which row, and what to do with it.");
            let payload = payload::describe::<A::Further>(A::NAME, entity::<A::Row>(), registry);
            registry::object::<Self>("", [registry::output(A::NAME, &payload, A::ABOUT, vec![input])])
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<GraphQLValue> {
        resolve_container(ctx, self).await
    }
}

impl<A: Act> ContainerType for ActMutation<A> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<GraphQLValue>> {
        if ctx.item.node.name.node != A::NAME {
            return Ok(None);
        }
        let input = Input::of(ctx);
        let outcome = async {
            let scope = scope(ctx)?;
            retried(|| run::<A>(scope, input.clone())).await
        };
        Payload::answer(Payload::of(A::NAME, outcome.await), ctx).await
    }
}

impl<A: Act> ObjectType for ActMutation<A> {}
