//! Dead letters: jobs whose last attempt failed. An admin can read, replay or dismiss them.

mod acts;
mod entity;

pub(crate) use acts::{DismissLetter, ReplayLetter};
pub use entity::{DeadLetter, DeadLetterState};
