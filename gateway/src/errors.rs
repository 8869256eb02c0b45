//! The last step of every response: gives each error a code of the closed list and hides internal
//! details.

use std::collections::HashSet;

use async_graphql::{ErrorExtensionValues, ServerError, Value};
use tenancy::{Failure, Refusal, RequestId};

/// The maximum number of errors in a response.
const MAX_ERRORS: usize = 100;
/// The longest message in characters: messages of async-graphql repeat parts of the request.
const MAX_MESSAGE: usize = 500;

/// Gives each error its code.
pub(crate) fn finish(errors: &mut Vec<ServerError>, request_id: &RequestId) {
    // A field that several places select is resolved for each, so its error occurs more than once.
    let mut known = HashSet::new();
    errors
        .retain(|error| error.path.is_empty() || known.insert(format!("{:?} {}", error.path, error.message)));
    errors.truncate(MAX_ERRORS);
    for error in errors {
        // Errors raised before execution already have a code.
        if error.extensions.as_ref().and_then(|known| known.get("code")).is_none() {
            give_code(error, request_id);
        }
        if let Some((end, _)) = error.message.char_indices().nth(MAX_MESSAGE) {
            error.message.truncate(end);
        }
    }
}

fn give_code(error: &mut ServerError, request_id: &RequestId) {
    let mut extensions = ErrorExtensionValues::default();
    match (error.source::<Failure>().cloned(), error.source.is_some()) {
        (Some(failure), _) => describe(&failure, error, &mut extensions, request_id),
        // Not an error of ours: its message may contain internal details.
        (None, true) => internal(&error.message.clone(), error, &mut extensions, request_id),
        // An argument error of async-graphql.
        (None, false) => {
            extensions.set("code", "BAD_REQUEST");
            let at = error.message.strip_prefix("Invalid value for argument \"");
            if let Some((path, _)) = at.and_then(|rest| rest.split_once('"')) {
                extensions.set("field", path.split('.').collect::<Vec<_>>());
            }
        }
    }
    error.extensions = Some(extensions);
}

/// The error for a request that panicked with this message.
pub(crate) fn of_a_panic(message: &str, request_id: &RequestId) -> ServerError {
    let mut error = ServerError::new("", None);
    let mut extensions = ErrorExtensionValues::default();
    internal(&format!("a panic: {message}"), &mut error, &mut extensions, request_id);
    error.extensions = Some(extensions);
    error
}

fn describe(
    failure: &Failure,
    error: &mut ServerError,
    extensions: &mut ErrorExtensionValues,
    request_id: &RequestId,
) {
    match failure {
        Failure::Internal(cause) => internal(&format!("{cause:?}"), error, extensions, request_id),
        Failure::Refused(refusal) => {
            extensions.set("code", refusal.code());
            match refusal {
                Refusal::BadRequest { field, .. } if !field.is_empty() => {
                    extensions.set("field", Value::from(field.clone()));
                }
                Refusal::CostExceeded { limit, most, found, .. } => {
                    extensions.set("limit", *limit);
                    extensions.set("most", *most);
                    extensions.set("found", *found);
                }
                _ => {}
            }
        }
        // Mutations return these as userErrors; this one occurred in a query.
        Failure::User(errors) => {
            extensions.set("code", "BAD_REQUEST");
            if let Some(field) = errors.first().and_then(|first| first.field.clone()) {
                extensions.set("field", Value::from(field));
            }
        }
    }
}

fn internal(
    cause: &str,
    error: &mut ServerError,
    extensions: &mut ErrorExtensionValues,
    request_id: &RequestId,
) {
    tracing::error!(%request_id, path = ?error.path, cause, "a request failed");
    error.message = format!("Something went wrong on our side. Reference: {request_id}");
    extensions.set("code", "INTERNAL");
    extensions.set("reference", request_id.as_str());
}
