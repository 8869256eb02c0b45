//! Values as the database holds them and GraphQL shows them.

pub(crate) mod date;
pub(crate) mod decimal;
pub(crate) mod id;
pub(crate) mod instant;
pub(crate) mod long;
pub(crate) mod named;
pub(crate) mod stored;
pub(crate) mod time_zone;
