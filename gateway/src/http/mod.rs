//! HTTP: which path answers what.

mod answer;
mod graphql;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{any, get},
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use crate::{Service, explorer};

/// Answers requests until `stop` is ready, then finishes those that have begun.
pub(crate) async fn serve(
    service: Service,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/graphql", any(graphql::endpoint))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .merge(explorer::routes(service.with_demo))
        .with_state(service);
    // Answers are small and complete: waiting for more to send only delays them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Whether requests can be answered now; a load balancer asks.
async fn ready(State(service): State<Service>) -> impl IntoResponse {
    if service.database.is_ready().await {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    }
}
