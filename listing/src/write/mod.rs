//! Making, changing and deleting, from the table of fields.

pub(crate) mod checks;
pub(crate) mod draft;
pub(crate) mod editing;
pub(crate) mod lifecycle;
pub(crate) mod many;
pub(crate) mod mutations;
pub(crate) mod payload;
pub(crate) mod references;
pub(crate) mod rule;
