use std::collections::HashMap;

use diesel::result::{DatabaseErrorKind, Error};

use crate::{ErrorCode, Failure, Refusal, UserError};

/// What a constraint of the database says to a user.
///
/// Every domain lists those of its tables; a test walks the catalogue for forgotten ones.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// As the migration names it.
    pub name: &'static str,
    /// The code of the user error.
    pub code: ErrorCode,
    /// The input's field to blame, dotted.
    pub field: &'static str,
    /// A sentence for people.
    pub message: &'static str,
}

/// Every entity has this one: who acts must be a user of the organisation still.
pub const CREATED_BY: &str = "_created_by_fk";

/// All constraints by name.
pub(crate) struct Constraints(HashMap<&'static str, Constraint>);

impl Constraints {
    pub(crate) fn new(all: &[&'static [Constraint]]) -> Self {
        Self(all.iter().copied().flatten().map(|constraint| (constraint.name, *constraint)).collect())
    }

    /// The only place where an error of PostgreSQL becomes one of ours.
    pub(crate) fn explain(&self, error: Error) -> Failure {
        let Error::DatabaseError(kind, information) = &error else {
            return Failure::internal(error);
        };
        if matches!(kind, DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand) {
            return Refusal::Unavailable.into();
        }
        if let Some(name) = information.constraint_name() {
            if let Some(known) = self.0.get(name) {
                return Failure::User(vec![UserError::new(known.code, known.field, known.message)]);
            }
            if name.ends_with(CREATED_BY) {
                let message = "You are not a user of this organisation any more.";
                return Failure::user(ErrorCode::NotFound, "", message);
            }
        }
        // diesel passes no SQLSTATE on, so these are known by what they say, in English.
        let message = information.message();
        if message.contains("terminating connection") || message.contains("deadlock detected") {
            return Refusal::Unavailable.into();
        }
        if message.contains("statement timeout") {
            return Refusal::Timeout.into();
        }
        if message.contains("0x00") {
            return Failure::bad_request("", "Text must not contain the character NUL.");
        }
        Failure::internal(error)
    }
}
