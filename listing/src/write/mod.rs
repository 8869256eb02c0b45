//! Making, changing and deleting, from the table of fields.

pub(crate) mod editable;
pub(crate) mod editing;
pub(crate) mod lifecycle;
pub(crate) mod many;
pub(crate) mod mutations;
pub(crate) mod payload;
pub(crate) mod reading;
pub(crate) mod references;
