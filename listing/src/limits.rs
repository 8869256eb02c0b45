//! Limits that several parts of the crate share.

/// How many rows a page holds by default.
pub const DEFAULT_PAGE: usize = 50;
/// How many rows a page holds at most.
pub const MAX_PAGE: usize = 200;
/// How many rows a bulk mutation or an import takes at most.
pub const MAX_ROWS: usize = 1000;
