//! Rows in and out of spreadsheets.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod input;
pub(crate) mod records;
