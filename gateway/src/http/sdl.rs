//! `GET /schema.graphql`: the schema in the schema definition language. It says what introspection
//! cannot: directives such as `@semanticNonNull`, and which interface another one implements.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

static SDL: LazyLock<String> = LazyLock::new(crate::sdl);

const HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];

/// Handles the request.
pub(super) async fn endpoint() -> impl IntoResponse {
    (HEADERS, SDL.as_str())
}
