//! Ids as clients see them: a prefix and the UUID in base32.

use anyhow::{Result, anyhow};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

macro_rules! kinds {
    ($($kind:ident $prefix:literal),*) => {$(
        #[derive(Clone, Copy, Debug, Default)]
        pub(crate) struct $kind;

        impl StaticType for $kind {
            const TYPE: &'static str = $prefix;
        }
    )*};
}

kinds!(Contact "contact", Organisation "organisation", User "user");

/// What a client sends and gets.
pub(crate) fn encode<T: StaticType>(id: Uuid) -> TypeSafeId<T> {
    TypeSafeId::from_uuid(id)
}

/// What the database holds.
pub(crate) fn decode<T: StaticType>(id: &str) -> Result<Uuid> {
    let id: TypeSafeId<T> = id.parse().map_err(|error| anyhow!("{id} is no {} id: {error}", T::TYPE))?;
    Ok(id.uuid())
}
