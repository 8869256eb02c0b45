//! The statements that serve every entity, rendered from plain data.

pub(crate) mod change;
pub(crate) mod column;
pub(crate) mod condition;
mod inside;
pub(crate) mod keyset;
pub(crate) mod list;
pub(crate) mod order;
pub(crate) mod out;
pub(crate) mod render;
pub(crate) mod seen;
pub(crate) mod select;
pub(crate) mod statement;
pub(crate) mod values;

#[cfg(test)]
mod tests;
