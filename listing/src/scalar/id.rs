//! Ids as clients see them: TypeID 0.3, a type's prefix and a UUID in base32.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use diesel::{backend::Backend, deserialize::FromSql, pg::Pg, sql_types as st};
use tenancy::{ErrorCode, Failure};
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

/// The longest id: a prefix of 63 letters, the hyphen and 26 letters of UUID (TypeID 0.3).
const MAX_ID: usize = 90;

/// A type whose rows have ids.
pub trait Identified: Send + Sync + 'static {
    /// The GraphQL type: `Contact`.
    const NAME: &'static str;
    /// What the ids of this type start with: `contact`.
    const PREFIX: &'static str;
}

/// The id of an entity: `contact_01jd…` for clients, a plain UUID in the database.
#[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = st::Uuid)]
pub struct Id<E>(Uuid, PhantomData<fn() -> E>);

impl<E> Id<E> {
    /// The plain UUID.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl<E> std::fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Id<E> {}

impl<E> From<Uuid> for Id<E> {
    fn from(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
}

impl<E> FromSql<st::Uuid, Pg> for Id<E> {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        <Uuid as FromSql<st::Uuid, Pg>>::from_sql(bytes).map(Self::from)
    }
}

impl<E: Identified> OutputType for Id<E> {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(text_of(E::PREFIX, self.0)))
    }
}

impl<E: Identified> From<&Id<E>> for ID {
    fn from(id: &Id<E>) -> Self {
        Self(text_of(E::PREFIX, id.0))
    }
}

/// The UUID in the form that clients see. An ill-formed prefix would give the bare UUID; a test of
/// the schema holds every entity's prefix to the rules.
pub fn text_of(prefix: &str, uuid: Uuid) -> String {
    match DynamicType::new(prefix) {
        Ok(prefix) => TypeSafeId::from_type_and_uuid(prefix, uuid).to_string(),
        Err(_) => uuid.to_string(),
    }
}

/// The prefix and the UUID of an id.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn uuid_of(text: &str) -> Result<(String, Uuid), String> {
    let malformed = || format!("{:?} is not an id.", text.chars().take(MAX_ID).collect::<String>());
    if text.len() > MAX_ID {
        return Err(malformed());
    }
    let id: TypeSafeId<DynamicType> = text.parse().map_err(|_| malformed())?;
    Ok((id.type_prefix().to_owned(), id.uuid()))
}

/// The UUID of an id that a query gives for a type with this name and prefix.
///
/// # Errors
/// BAD_REQUEST at this argument for an id that is malformed or of another type.
pub(crate) fn argument(text: &str, argument: &str, of: (&str, &str)) -> Result<Uuid, Failure> {
    read(text, of).map_err(|message| Failure::bad_request(argument, message))
}

fn read(text: &str, (name, expected): (&str, &str)) -> Result<Uuid, String> {
    let (prefix, uuid) = uuid_of(text)?;
    if prefix == expected {
        Ok(uuid)
    } else {
        Err(format!("{text:?} is not the id of a {name}: those start with {expected:?}."))
    }
}

/// An id as it came in; it becomes a UUID only together with the name of its field, so that a wrong
/// one is reported where it stands.
pub struct GivenId<E>(String, PhantomData<fn() -> E>);

impl<E: Identified> GivenId<E> {
    /// The UUID, for a mutation.
    ///
    /// # Errors
    /// INVALID at this field for an id that is malformed or of another type.
    pub fn uuid(&self, field: &str) -> Result<Uuid, Failure> {
        let read = read(&self.0, (E::NAME, E::PREFIX));
        read.map_err(|message| Failure::user(ErrorCode::Invalid, field, message))
    }
}

impl<E: Identified> InputType for GivenId<E> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let id: ID = InputType::parse(value).map_err(InputValueError::propagate)?;
        Ok(Self(id.0, PhantomData))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_way_out_and_in() {
        let uuid = Uuid::now_v7();
        assert_eq!(uuid_of(&text_of("contact", uuid)), Ok(("contact".to_owned(), uuid)));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "contact", "contact_", "contact_zzz", "Contact_01h455vb4pex5vsknk084sn02q", "\0"] {
            assert!(uuid_of(text).is_err(), "{text:?}");
        }
    }
}
