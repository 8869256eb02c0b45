//! HTTP: which path answers what.

mod answer;
mod export;
mod graphql;
mod panics;
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

/// How long requests that have begun may take to finish: less than the ten seconds after which
/// Docker kills. One that never comes to its end must not hold up the end of the service.
const DRAIN: Duration = Duration::from_secs(8);

/// Answers requests until `stop` is ready, then finishes those that have begun.
pub(crate) async fn serve(
    service: Service,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/graphql", any(graphql::endpoint))
        .route("/export/{file}", get(export::endpoint))
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
    let (told, hear) = oneshot::channel();
    let stop = async move {
        stop.await;
        // Only fails once the serving is over.
        let _ = told.send(());
    };
    let too_late = async move {
        if hear.await.is_err() {
            pending::<()>().await;
        }
        sleep(DRAIN).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop).into_future() => served,
        () = too_late => {
            tracing::warn!("stopped before all requests were answered");
            Ok(())
        }
    }
}

/// Whether requests can be answered now; a load balancer asks.
async fn ready(State(service): State<Service>) -> impl IntoResponse {
    if service.database.is_ready().await {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    }
}
