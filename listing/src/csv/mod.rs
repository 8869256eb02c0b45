//! Rows in and out of spreadsheets.

pub(crate) mod export;
pub(crate) mod import;
