//! Responses as the GraphQL-over-HTTP specification defines.

use async_graphql::{ServerError, Value};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use tenancy::RequestId;

pub(super) const REQUEST_ID: &str = "x-request-id";

/// The media types of responses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status reflects the outcome of the request.
    GraphQL,
    /// `application/json`: for older clients, 200 for every well-formed request.
    Json,
}

#[derive(Serialize)]
struct Body_<'a> {
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
    /// Absent if execution did not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl Media {
    /// The first supported type that the client accepts; JSON without an `Accept` header.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut accepts =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if accepts.peek().is_none() {
            return Some(Self::Json);
        }
        let ranges = accepts.flat_map(|value| value.split(','));
        ranges.map(|range| range.split(';').next().unwrap_or_default().trim()).find_map(|range| match range {
            "application/graphql-response+json" => Some(Self::GraphQL),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        })
    }

    /// The status of a well-formed request that was rejected before execution.
    pub(super) fn status_of_a_refusal(self) -> StatusCode {
        match self {
            Self::GraphQL => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::GraphQL => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// The response of an execution. If all errors lack a path, execution did not start and there is no
/// data.
pub(super) fn executed(media: Media, response: &async_graphql::Response, request_id: &RequestId) -> Response {
    let has_begun = response.errors.is_empty() || response.errors.iter().any(|error| !error.path.is_empty());
    if has_begun {
        answer(StatusCode::OK, media, &response.errors, Some(&response.data), request_id)
    } else {
        not_executed(media.status_of_a_refusal(), media, &response.errors, request_id)
    }
}

/// A response without data.
pub(super) fn not_executed(
    status: StatusCode,
    media: Media,
    errors: &[ServerError],
    request_id: &RequestId,
) -> Response {
    answer(status, media, errors, None, request_id)
}

/// The response to a request that could not be read as GraphQL.
pub(super) fn refused(
    status: StatusCode,
    media: Media,
    code: &str,
    message: impl Into<String>,
    request_id: &RequestId,
) -> Response {
    refused_for(None, status, media, code, message, request_id)
}

/// As [`refused`], with the limit that was exceeded: its name and maximum.
pub(super) fn refused_for(
    limit: Option<(&str, u64)>,
    status: StatusCode,
    media: Media,
    code: &str,
    message: impl Into<String>,
    request_id: &RequestId,
) -> Response {
    let mut error = ServerError::new(message, None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", code);
    if let Some((limit, most)) = limit {
        extensions.set("limit", limit);
        extensions.set("most", most);
    }
    error.extensions = Some(extensions);
    answer(status, media, &[error], None, request_id)
}

/// A response with these errors and data.
pub(super) fn answer(
    status: StatusCode,
    media: Media,
    errors: &[ServerError],
    data: Option<&Value>,
    request_id: &RequestId,
) -> Response {
    // GraphQL values always serialise.
    let body = listing::to_json(&Body_ { errors, data }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Media::accepted(&headers).map(Media::content_type).map(|media| media.split(';').next().unwrap())
    }

    #[test]
    fn the_first_type_that_we_speak_is_answered() {
        assert_eq!(
            accepted("application/graphql-response+json, application/json;q=0.9"),
            Some("application/graphql-response+json")
        );
        assert_eq!(accepted("text/html, application/json"), Some("application/json"));
        assert_eq!(accepted("*/*"), Some("application/json"));
        assert_eq!(accepted("text/html"), None);
    }
}
