//! The input of a mutation, field by field.

use async_graphql::{Context, InputType, Value as GraphQLValue};
use tenancy::{ErrorCode, Failure, Key};
use uuid::Uuid;

use crate::{context::given, entity::Entity, registry, scalar::id::GivenId, write::reading::Object};

/// The field for the idempotency key.
pub(crate) const KEY: &str = "idempotencyKey";
/// What clients send with a mutation that may be repeated safely.
const ABOUT_KEY: &str =
    "Idempotency key: a repetition with the same input within 24 hours returns the first result.";

/// The input of a mutation.
#[derive(Clone)]
pub(crate) struct Input(Object);

impl Input {
    /// That of the mutation that is being resolved.
    pub(crate) fn of(ctx: &Context<'_>) -> Self {
        Self::from(given(ctx, "input").unwrap_or_default())
    }

    /// Takes one field out.
    pub(crate) fn take<T: InputType>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let value = self.0.swap_remove(name);
        Option::<T>::parse(value).map_err(|_| Failure::user(ErrorCode::Invalid, name, "This cannot be read."))
    }

    /// Takes one field out as it is.
    pub(crate) fn take_value(&mut self, name: &str) -> Option<GraphQLValue> {
        self.0.swap_remove(name)
    }

    /// Takes the id of the row that the mutation is about.
    pub(crate) fn id<E: Entity>(&mut self) -> Result<Uuid, Failure> {
        self.take::<GivenId<E>>("id")?.ok_or_else(|| Failure::not_found("id"))?.uuid("id")
    }

    /// Takes the revision that the client knows.
    pub(crate) fn revision(&mut self) -> Result<Option<i32>, Failure> {
        self.take("expectedRevision")
    }

    /// Takes the idempotency key, of an operation with what is left of the input.
    pub(crate) fn key(&mut self, operation: &str) -> Result<Option<Key>, Failure> {
        let Some(key) = self.take::<String>(KEY)? else { return Ok(None) };
        let body = sorted(GraphQLValue::Object(self.0.clone())).to_string();
        Key::new(operation, key, body.as_bytes()).map(Some)
    }

    /// Takes a list of objects; one alone is a list of one.
    pub(crate) fn list(&mut self, name: &str) -> Vec<GraphQLValue> {
        match self.0.swap_remove(name) {
            Some(GraphQLValue::List(rows)) => rows,
            Some(GraphQLValue::Null) | None => vec![],
            Some(one) => vec![one],
        }
    }

    /// Takes one object out.
    pub(crate) fn object(&mut self, name: &str) -> Object {
        match self.0.swap_remove(name) {
            Some(GraphQLValue::Object(object)) => object,
            // What is no object has been refused before.
            _ => Object::new(),
        }
    }

    /// What is left.
    pub(crate) fn rest(self) -> Object {
        self.0
    }
}

impl From<GraphQLValue> for Input {
    // What is no object has been refused before.
    fn from(given: GraphQLValue) -> Self {
        Self(if let GraphQLValue::Object(object) = given { object } else { Object::new() })
    }
}

/// The same input whatever the order its fields are given in.
fn sorted(given: GraphQLValue) -> GraphQLValue {
    match given {
        GraphQLValue::Object(mut object) => {
            object.sort_unstable_keys();
            GraphQLValue::Object(object.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        GraphQLValue::List(items) => GraphQLValue::List(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The field for the id of the row that a mutation is about.
pub(crate) fn describe_id() -> registry::Input {
    registry::input("id", "ID!", "The id of the row.")
}

/// The field for the revision that the client knows.
pub(crate) fn describe_revision(required: bool) -> registry::Input {
    let ty = if required { "Int!" } else { "Int" };
    let otherwise = if required { "" } else { " Not checked by default." };
    let about = format!("The `revision` that the client knows; CONFLICT if the row has another.{otherwise}");
    registry::input("expectedRevision", ty, &about)
}

/// The field for the idempotency key.
pub(crate) fn describe_key() -> registry::Input {
    registry::input(KEY, "String", ABOUT_KEY)
}
