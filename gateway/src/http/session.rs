//! The session of a request.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use tenancy::{Failure, Refusal, RequestId, Session};

use super::answer::{Media, REQUEST_ID, refused};
use crate::Service;

/// The request id: that of the header `x-request-id`, or a new one.
pub(super) fn request_id(headers: &HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).and_then(RequestId::parse);
    given.unwrap_or_default()
}

/// Authenticates the request. Without a token it is anonymous; with a bad token it is UNAUTHENTICATED,
/// never anonymous.
pub(super) async fn session(
    service: &Service,
    headers: &HeaderMap,
    request_id: &RequestId,
) -> Result<Session, Failure> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (given.next(), given.next()) {
        (None, _) => return Ok(Session::anonymous()),
        (Some(authorization), None) => authorization,
        // A proxy may have checked the other header.
        (Some(_), Some(_)) => return Err(Refusal::Unauthenticated.into()),
    };
    let scheme_and_token = authorization.to_str().ok().and_then(|value| value.split_once(' '));
    let token = scheme_and_token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    let (_, token) = token.ok_or(Refusal::Unauthenticated)?;
    service.identity.authenticate(token.trim(), request_id).await
}

/// The response if authentication fails.
pub(super) fn not_let_in(failure: &Failure, media: Media, request_id: &RequestId) -> Response {
    let (status, code) = match failure {
        Failure::Refused(refusal @ Refusal::Unauthenticated) => (StatusCode::UNAUTHORIZED, refusal.code()),
        Failure::Refused(refusal) => (StatusCode::SERVICE_UNAVAILABLE, refusal.code()),
        Failure::User(_) | Failure::Internal(_) => {
            tracing::error!(%request_id, ?failure, "a session could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL")
        }
    };
    let mut response = refused(status, media, code, failure.to_string(), request_id);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
