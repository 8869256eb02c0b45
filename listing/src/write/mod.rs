//! Making, changing and deleting, from the table of fields, and by steps.

pub(crate) mod act;
pub(crate) mod bulk;
pub(crate) mod change;
pub(crate) mod describe;
pub(crate) mod editable;
pub(crate) mod input;
pub(crate) mod many;
pub(crate) mod mutations;
pub(crate) mod natural_key;
pub(crate) mod payload;
pub(crate) mod reading;
pub(crate) mod references;
pub(crate) mod work;
