//! The explorer: a page to write queries on.

use axum::{Router, response::Html, routing::get};

const PAGE: &str = include_str!("explorer.html");

/// `GET /`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(|| async { Html(PAGE) }))
}

pub(crate) fn install() -> Result<(), String> {
    Ok(())
}
