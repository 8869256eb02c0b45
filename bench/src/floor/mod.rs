//! The floor: what the same answers cost where nothing is general. One hand-written axum handler
//! per case on tokio-postgres, under the same role, row security and triggers as the service.
//!
//! Each request is one transaction in one flush: `BEGIN` with the tenant, one prepared statement
//! that builds the JSON ([`sql`]; or, for the list, may give [`rows`]), and `COMMIT` ([`lane`]). It
//! runs on a single thread, where the connection's task can only run once all three messages are
//! queued; several threads would often flush the first one by itself. What it leaves out of a
//! service: authentication, GraphQL, limits, logs.

mod lane;
mod pool;
mod raw_json;
mod rows;
mod sql;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use uuid::Uuid;

pub(crate) use self::lane::Lane;
use self::pool::Pool;
use crate::{
    reach::Reach,
    type_id::{self, Contact},
};

/// Names the organisation: the floor believes it.
pub(crate) const ORGANISATION: HeaderName = HeaderName::from_static("x-organisation");

/// Names the user who creates.
pub(crate) const USER: HeaderName = HeaderName::from_static("x-user");

/// How the floor makes the JSON of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListForm {
    /// PostgreSQL builds it.
    Json,
    /// The floor builds it from rows, which costs PostgreSQL less and both together least.
    Rows,
}

impl ListForm {
    /// As the command line and the report call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Rows => "rows",
        }
    }
}

/// Serves until killed.
pub(crate) async fn serve(address: SocketAddr, connections: usize, list: ListForm) -> Result<()> {
    let database = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let pool = Arc::new(Pool::open(&database, connections, list).await?);
    let router = Router::new()
        .route("/by_id", post(by_id))
        .route("/newest", post(newest))
        .route("/filtered", post(filtered))
        .route("/grouped", post(grouped))
        .route("/nested", post(nested))
        .route("/create", post(create))
        .route("/readyz", get(async || StatusCode::OK))
        .with_state(pool);
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        // Small answers must not wait for more; a socket that refuses is merely slower.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

/// A GraphQL request, of which only the variables matter here.
#[derive(Deserialize)]
struct Body<V> {
    variables: V,
}

#[derive(Deserialize)]
struct ById {
    id: String,
}

#[derive(Deserialize)]
struct Filtered {
    r#where: Where,
}

#[derive(Deserialize)]
struct Where {
    country: Equal,
    kind: Equal,
}

#[derive(Deserialize)]
struct Equal {
    eq: String,
}

#[derive(Deserialize)]
struct Create {
    input: NewContact,
}

/// What a new contact is made of.
#[derive(Deserialize)]
pub(crate) struct NewContact {
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) reach: Reach,
}

async fn by_id(
    State(pool): State<Arc<Pool>>,
    headers: HeaderMap,
    Json(body): Json<Body<ById>>,
) -> Result<Response, Failure> {
    let organisation = id_in(&headers, &ORGANISATION)?;
    let id = type_id::decode::<Contact>(&body.variables.id)?;
    Ok(answer(pool.lease().await?.lane()?.by_id(organisation, id).await?))
}

async fn newest(State(pool): State<Arc<Pool>>, headers: HeaderMap) -> Result<Response, Failure> {
    let organisation = id_in(&headers, &ORGANISATION)?;
    Ok(answer(pool.lease().await?.lane()?.newest(organisation).await?))
}

async fn filtered(
    State(pool): State<Arc<Pool>>,
    headers: HeaderMap,
    Json(body): Json<Body<Filtered>>,
) -> Result<Response, Failure> {
    let organisation = id_in(&headers, &ORGANISATION)?;
    let Where { country, kind } = &body.variables.r#where;
    Ok(answer(pool.lease().await?.lane()?.filtered(organisation, &country.eq, &kind.eq).await?))
}

async fn grouped(State(pool): State<Arc<Pool>>, headers: HeaderMap) -> Result<Response, Failure> {
    let organisation = id_in(&headers, &ORGANISATION)?;
    Ok(answer(pool.lease().await?.lane()?.grouped(organisation).await?))
}

async fn nested(State(pool): State<Arc<Pool>>, headers: HeaderMap) -> Result<Response, Failure> {
    let organisation = id_in(&headers, &ORGANISATION)?;
    Ok(answer(pool.lease().await?.lane()?.nested(organisation).await?))
}

async fn create(
    State(pool): State<Arc<Pool>>,
    headers: HeaderMap,
    Json(body): Json<Body<Create>>,
) -> Result<Response, Failure> {
    let (organisation, user) = (id_in(&headers, &ORGANISATION)?, id_in(&headers, &USER)?);
    Ok(answer(pool.lease().await?.lane()?.create(organisation, user, &body.variables.input, true).await?))
}

fn id_in(headers: &HeaderMap, name: &HeaderName) -> Result<Uuid> {
    let value = headers.get(name).with_context(|| format!("{name} is missing"))?;
    Ok(Uuid::try_parse_ascii(value.as_bytes())?)
}

fn answer(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The load stops at the first failure, so that all it needs is a reason.
struct Failure(anyhow::Error);

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}
