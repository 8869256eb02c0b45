use std::collections::HashMap;

use diesel::result::{DatabaseErrorKind, Error};

use crate::{ErrorCode, Failure, Refusal, UserError};

/// The user error for the violation of a database constraint.
///
/// Every domain lists the constraints of its tables; a test compares the lists with the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// The name of the constraint in the migration.
    pub name: &'static str,
    /// The code of the user error.
    pub code: ErrorCode,
    /// The path of the input field, separated by dots.
    pub field: &'static str,
    /// The message.
    pub message: &'static str,
}

/// The suffix of a constraint that every entity has: its creator must be a user of the organisation.
pub const CREATED_BY: &str = "_created_by_fk";

/// All constraints by name.
pub(crate) struct Constraints(HashMap<&'static str, Constraint>);

impl Constraints {
    pub(crate) fn new(all: &[&'static [Constraint]]) -> Self {
        Self(all.iter().copied().flatten().map(|constraint| (constraint.name, *constraint)).collect())
    }

    /// Converts an error of PostgreSQL; the only place that does so.
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
        // diesel hides the SQLSTATE, so these errors are recognised by their English text. The start-up
        // check (`guard`) requires English messages.
        let message = information.message();
        if message.contains("terminating connection") {
            return Refusal::Unavailable.into();
        }
        if matches!(kind, DatabaseErrorKind::SerializationFailure) || message.contains("deadlock detected") {
            return Refusal::Contended.into();
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
