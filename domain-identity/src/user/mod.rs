//! A user: an account's membership of one organisation.

mod entity;

pub use entity::User;
