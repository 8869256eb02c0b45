//! The HTTP routes and the server.

mod answer;
mod export;
mod graphql;
mod panics;
mod sdl;
mod session;

use std::{
    future::{IntoFuture, pending},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{any, get},
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::oneshot, time::sleep};

use crate::{Service, explorer};

/// How long current requests may take to finish on shutdown: less than the ten seconds after which
/// Docker kills a container.
const DRAIN: Duration = Duration::from_secs(8);

/// Serves requests until `stop` is ready, then finishes the current ones.
pub(crate) async fn serve(
    service: Service,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/graphql", any(graphql::endpoint))
        .route("/export/{file}", get(export::endpoint))
        .route("/schema.graphql", get(sdl::endpoint))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .merge(explorer::routes(service.with_demo))
        .with_state(service);
    // Responses are written at once, so Nagle's algorithm would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        // Fails only if the server has already ended.
        let _ = stopping.send(());
    };
    let deadline = async move {
        if stopped.await.is_err() {
            pending::<()>().await;
        }
        sleep(DRAIN).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop).into_future() => served,
        () = deadline => {
            tracing::warn!("stopped before all requests were answered");
            Ok(())
        }
    }
}

/// The readiness probe: whether the database answers.
async fn ready(State(service): State<Service>) -> impl IntoResponse {
    if service.database.is_ready().await {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    }
}
