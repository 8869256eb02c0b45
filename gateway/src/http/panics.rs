//! Turns panics of requests into internal errors.

use std::panic::AssertUnwindSafe;

use axum::{http::StatusCode, response::Response};
use futures_util::FutureExt;
use tenancy::RequestId;

use super::answer::{Media, answer};
use crate::errors;

/// Returns the response, or INTERNAL with a reference if it panics. The panic and its location are
/// logged ([`crate::logging`]).
pub(super) async fn caught(
    response: impl Future<Output = Response>,
    media: Media,
    request_id: &RequestId,
) -> Response {
    AssertUnwindSafe(response).catch_unwind().await.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let errors = [errors::of_a_panic(message, request_id)];
        answer(StatusCode::INTERNAL_SERVER_ERROR, media, &errors, None, request_id)
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn a_request_that_panics_is_internal_with_a_reference() {
        let request_id = RequestId::parse("monday-1").unwrap();
        let response = caught(async { panic!("secret") }, Media::GraphQL, &request_id).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-request-id"], "monday-1");
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body.get("data").is_none());
        let error = &body["errors"][0];
        assert_eq!(error["extensions"]["code"], "INTERNAL");
        assert_eq!(error["extensions"]["reference"], "monday-1");
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}
