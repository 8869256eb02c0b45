//! `GET /export/<list>.csv`: exports a list as CSV, with a filter and an order.

use async_graphql::ServerError;
use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use listing::{AnyEntity, Deleted, Export, Offer, Rows};
use serde::Deserialize;
use tenancy::{Failure, Refusal, RequestId, Scope, Session};

use super::{
    answer::{Media, REQUEST_ID, answer, refused},
    panics::caught,
    session::{not_let_in, request_id, session as authenticate},
};
use crate::{Service, errors, schema};

/// The query parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Asked {
    /// The filter of the list, as JSON.
    r#where: Option<String>,
    /// Which rows are meant by their deletion: a name of the enum.
    deleted: Option<String>,
    /// What is searched for.
    search: Option<String>,
    /// The order of the list, as JSON.
    order_by: Option<String>,
    /// The columns, separated by commas.
    columns: Option<String>,
}

/// Handles the export of one list.
pub(super) async fn endpoint(
    State(service): State<Service>,
    Path(file): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let request_id = request_id(&headers);
    caught(export(&service, &file, asked, &headers, &request_id), Media::Json, &request_id).await
}

/// The entities that offer exports.
fn exported() -> impl Iterator<Item = &'static AnyEntity> {
    schema::entities().filter(|entity| entity.offers(Offer::Export))
}

async fn export(
    service: &Service,
    file: &str,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: &HeaderMap,
    request_id: &RequestId,
) -> Response {
    let session = match authenticate(service, headers, request_id).await {
        Ok(session) => session,
        Err(failure) => return not_let_in(&failure, Media::Json, request_id),
    };
    let entity = file.strip_suffix(".csv").and_then(|many| exported().find(|entity| entity.many == many));
    let Some(entity) = entity else {
        let lists: Vec<String> = exported().map(|entity| format!("{}.csv", entity.many)).collect();
        let message = format!("There is no such export; there are {}.", lists.join(", "));
        return refused(StatusCode::NOT_FOUND, Media::Json, "BAD_REQUEST", message, request_id);
    };
    let Query(asked) = match asked {
        Ok(asked) => asked,
        Err(error) => {
            let message = format!(
                "The parameters are `where`, `deleted`, `search`, `orderBy` and `columns`: {}",
                error.body_text()
            );
            return refused(StatusCode::BAD_REQUEST, Media::Json, "BAD_REQUEST", message, request_id);
        }
    };
    let rows = async {
        let mut rows = entity.export(asked.export()?, scopes(service, session, headers, request_id));
        // Reads the first rows before the response starts, so that an error can still set the status.
        let first = rows.try_next().await?.unwrap_or_default();
        Ok(stream::once(async { Ok(first) }).chain(rows).boxed())
    };
    match rows.await {
        Ok(rows) => csv(file, rows, request_id.clone()),
        Err(failure) => failed(failure, request_id),
    }
}

/// The scope of each chunk: the first has the session of the request, each later one authenticates
/// anew, so that an export ends with the session, and shows nothing that it may no longer see.
fn scopes(
    service: &Service,
    session: Session,
    headers: &HeaderMap,
    request_id: &RequestId,
) -> impl FnMut() -> BoxFuture<'static, Result<Scope, Failure>> + Send + 'static {
    let (service, headers, request_id) = (service.clone(), headers.clone(), request_id.clone());
    let mut first = Some(session);
    move || {
        let (first, service) = (first.take(), service.clone());
        let (headers, request_id) = (headers.clone(), request_id.clone());
        let scope = async move {
            let session = match first {
                Some(session) => session,
                None => authenticate(&service, &headers, &request_id).await?,
            };
            Ok(service.scope(session, request_id))
        };
        scope.boxed()
    }
}

impl Asked {
    fn export(self) -> Result<Export, Failure> {
        let json = |name: &str, given: Option<String>| {
            let read = |text: String| request::value_of_json(&text);
            given.map(read).transpose().map_err(|message| Failure::bad_request(name, message))
        };
        let columns = |text: String| text.split(',').map(|column| column.trim().to_owned()).collect();
        let deleted = |name: String| {
            Deleted::named(&name)
                .ok_or_else(|| Failure::bad_request("deleted", "This must be EXCLUDE, INCLUDE or ONLY."))
        };
        Ok(Export {
            filter: json("where", self.r#where)?,
            deleted: self.deleted.map(deleted).transpose()?.unwrap_or_default(),
            search: self.search,
            order_by: json("orderBy", self.order_by)?,
            columns: self.columns.map(columns),
        })
    }
}

fn csv(file: &str, rows: Rows, request_id: RequestId) -> Response {
    let id = HeaderValue::from_str(request_id.as_str());
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""));
    let lines = rows.map_ok(Bytes::from).map_err(move |failure| {
        // Aborts the response: a client would read an error message in the body as CSV.
        tracing::error!(%request_id, ?failure, "an export broke off");
        std::io::Error::other("the export broke off")
    });
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.extend(disposition.map(|value| (header::CONTENT_DISPOSITION, value)));
    headers.extend(id.map(|value| (header::HeaderName::from_static(REQUEST_ID), value)));
    response
}

fn failed(failure: Failure, request_id: &RequestId) -> Response {
    let status = match &failure {
        Failure::Refused(Refusal::Unauthenticated) => StatusCode::UNAUTHORIZED,
        Failure::Refused(Refusal::Forbidden) => StatusCode::FORBIDDEN,
        Failure::Refused(Refusal::BadRequest { .. } | Refusal::CostExceeded { .. }) | Failure::User(_) => {
            StatusCode::BAD_REQUEST
        }
        Failure::Refused(Refusal::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        Failure::Refused(Refusal::Unavailable | Refusal::Contended) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut error = ServerError::new(failure.to_string(), None);
    error.source = Some(std::sync::Arc::new(failure));
    let mut errors = vec![error];
    errors::finish(&mut errors, request_id);
    answer(status, Media::Json, &errors, None, request_id)
}
