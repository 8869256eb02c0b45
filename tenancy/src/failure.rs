use std::{error::Error, fmt, sync::Arc};

use async_graphql::{Enum, SimpleObject};

/// Why something did not happen: the one error type of every domain.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The user can mend it: answered as `userErrors` of the payload.
    User(Vec<UserError>),
    /// The request is refused as a whole: answered as a GraphQL error with this code.
    Refused(Refusal),
    /// A fault of ours: logged, and answered with a reference alone.
    Internal(Arc<dyn Error + Send + Sync>),
}

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is logged in, or the log-in is over.
    Unauthenticated,
    /// Who is logged in may not do this.
    Forbidden,
    /// An argument cannot be understood: what is wrong, and where.
    BadRequest {
        /// A sentence for a developer.
        message: String,
        /// The path of the argument, if one is to blame.
        field: Vec<String>,
    },
    /// More is asked than one request may cost.
    CostExceeded {
        /// A sentence about what is too much.
        message: String,
        /// The name of the limit.
        limit: &'static str,
        /// The largest number that is accepted.
        most: usize,
        /// The number that was reached.
        found: usize,
    },
    /// The database took longer than it may.
    Timeout,
    /// The database cannot be reached, or every connection is busy.
    Unavailable,
}

/// Why the user's wish was not carried out.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A value is missing, malformed or out of bounds.
    Invalid,
    /// Nothing of this organisation has that id.
    NotFound,
    /// The row has changed since it was read, or a key was used for something else.
    Conflict,
    /// The entity's state does not allow this step.
    InvalidTransition,
    /// A limit of the organisation or of the service is reached.
    LimitReached,
    /// Something else has this unique value.
    AlreadyExists,
    /// A rule forbids it, or the e-mail or the password is wrong.
    NotAllowed,
}

/// One thing that the user can mend.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// What kind of mistake it is; stable, for programs.
    pub code: ErrorCode,
    /// A sentence for people; may change.
    pub message: String,
    /// The path of the input's field, outermost first; absent if no single field is to blame.
    pub field: Option<Vec<String>>,
}

impl UserError {
    /// An error at a field of the input; a dot separates the steps of a path.
    pub fn new(code: ErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: (!field.is_empty()).then(|| field.split('.').map(str::to_owned).collect()),
        }
    }
}

impl Failure {
    /// An outcome as a payload tells it: what was done, or what the user has to mend.
    ///
    /// # Errors
    /// Everything that is not the user's to mend passes through.
    pub fn mendable<T>(outcome: Result<T, Self>) -> Result<(Option<T>, Vec<UserError>), Self> {
        match outcome {
            Ok(done) => Ok((Some(done), vec![])),
            Err(Self::User(user_errors)) => Ok((None, user_errors)),
            Err(failure) => Err(failure),
        }
    }

    /// One user error at one field.
    pub fn user(code: ErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self::User(vec![UserError::new(code, field, message)])
    }

    /// Nothing of this organisation has the id given at `field`.
    pub fn not_found(field: &str) -> Self {
        Self::user(ErrorCode::NotFound, field, "Nothing has this id.")
    }

    /// An argument that cannot be understood.
    pub fn bad_request(field: &str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::BadRequest {
            message: message.into(),
            field: field.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// A fault of ours.
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
    /// As `extensions.code` spells it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadRequest { .. } => "BAD_REQUEST",
            Self::CostExceeded { .. } => "COST_EXCEEDED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
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
        })
    }
}

// Internals stay inside: what is displayed may reach a client.
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
