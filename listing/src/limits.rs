//! Limits that several parts of the crate share.

/// How many rows a page holds by default.
pub const DEFAULT_PAGE: usize = 50;
/// How many rows a page holds at most.
pub const MAX_PAGE: usize = 200;
/// How many rows a bulk mutation or an import takes at most.
pub const MAX_ROWS: usize = 1000;

/// How many keys in use one mutation tells to who does not see all rows. Whether a key is in use says that a
/// row is there, so it must not be asked of many at once.
pub(crate) const MAX_TAKEN: usize = 20;
/// How many hits the search through all lists answers if nothing else is said.
pub(crate) const DEFAULT_HITS: usize = 20;
/// How many characters a text has that is searched for, at most.
pub(crate) const MAX_SEARCH: usize = 200;
/// How many words it has, at most.
pub(crate) const MAX_WORDS: usize = 10;
