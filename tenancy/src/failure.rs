use std::{error::Error, fmt, sync::Arc};

use async_graphql::{Enum, Json, SimpleObject};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The error type of all domains.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Errors that the user can fix, returned as `userErrors` of the payload.
    User(Vec<UserError>),
    /// The request is refused, which is returned as a GraphQL error with this code.
    Refused(Refusal),
    /// An internal error: logged, and returned as a reference only.
    Internal(Arc<dyn Error + Send + Sync>),
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is anonymous, or its log-in session is over.
    Unauthenticated,
    /// The user lacks the permission.
    Forbidden,
    /// An argument is invalid.
    BadRequest {
        /// A sentence for the developer of the client.
        message: String,
        /// The path of the argument, if the error concerns one.
        field: Vec<String>,
    },
    /// The request exceeds a cost limit.
    CostExceeded {
        /// A sentence about the limit.
        message: String,
        /// The name of the limit.
        limit: &'static str,
        /// The maximum.
        most: usize,
        /// The actual number.
        found: usize,
    },
    /// A statement exceeded its time limit.
    Timeout,
    /// The database is unreachable, or all connections are busy.
    Unavailable,
    /// Other writes got in the way, also when it was tried again.
    Contended,
}

/// Why a mutation was not carried out.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// A value is missing, malformed or out of bounds.
    Invalid,
    /// The organisation has no object with this id.
    NotFound,
    /// The object has changed since it was read, or the idempotency key was used with another input.
    Conflict,
    /// The state of the object does not allow this change.
    InvalidTransition,
    /// A limit of the organisation or of the service is reached.
    LimitReached,
    /// Another object has this unique value.
    AlreadyExists,
    /// A rule forbids the change, or the e-mail address or the password is wrong.
    NotAllowed,
}

/// An error that the user can fix.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The kind of error, for programs; stable.
    pub code: ErrorCode,
    /// A sentence for users; may change.
    pub message: String,
    /// The path of the input field, outermost first; null if the error concerns no single field.
    pub field: Option<Vec<String>>,
    /// What else a program may need: `{from, to, allowed}` for INVALID_TRANSITION, `{reason}` for
    /// NOT_ALLOWED.
    pub details: Option<Json<Value>>,
}

impl UserError {
    /// Creates an error at an input field; dots separate the steps of its path.
    pub fn new(code: ErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: (!field.is_empty()).then(|| field.split('.').map(str::to_owned).collect()),
            details: None,
        }
    }

    /// The same error of a part that stands under this field of the input.
    #[must_use]
    pub fn under(mut self, field: &str) -> Self {
        let path = self.field.take().unwrap_or_default();
        self.field = Some(std::iter::once(field.to_owned()).chain(path).collect());
        self
    }

    /// Adds details for programs.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self { details: Some(Json(details)), ..self }
    }
}

impl Failure {
    /// Splits a result for a payload: the value, or the errors that the user can fix.
    ///
    /// # Errors
    /// All other errors are passed on.
    pub fn mendable<T>(outcome: Result<T, Self>) -> Result<(Option<T>, Vec<UserError>), Self> {
        match outcome {
            Ok(done) => Ok((Some(done), vec![])),
            Err(Self::User(user_errors)) => Ok((None, user_errors)),
            Err(failure) => Err(failure),
        }
    }

    /// Creates a failure with one user error.
    pub fn user(code: ErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self::User(vec![UserError::new(code, field, message)])
    }

    /// Creates a failure: the organisation has no object with the id at `field`.
    pub fn not_found(field: &str) -> Self {
        Self::user(ErrorCode::NotFound, field, "Nothing has this id.")
    }

    /// Creates a failure: an argument is invalid.
    pub fn bad_request(field: &str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::BadRequest {
            message: message.into(),
            field: field.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Creates a failure: an internal error.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(error.into()))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Refusal {
    /// The value of `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadRequest { .. } => "BAD_REQUEST",
            Self::CostExceeded { .. } => "COST_EXCEEDED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable | Self::Contended => "UNAVAILABLE",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthenticated => {
                "Log in first: there is no access token, or it is invalid or older than 15 minutes."
            }
            Self::Forbidden => "Your roles do not allow this.",
            Self::BadRequest { message, .. } => message,
            Self::CostExceeded { message, .. } => message,
            Self::Timeout => "The request took too long.",
            Self::Unavailable => "The service is not available; try again shortly.",
            Self::Contended => "Other changes of the same rows got in the way; try again.",
        })
    }
}

// Hides internal errors: the text may be sent to a client.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(errors) => match errors.first() {
                Some(first) => f.write_str(&first.message),
                None => f.write_str("The input is not valid."),
            },
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Internal(_) => f.write_str("Something went wrong on our side."),
        }
    }
}
