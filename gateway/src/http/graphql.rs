use std::time::Duration;

use async_graphql::{ParseRequestError, Request};
use async_graphql_axum::{GraphQLRequest, rejection::GraphQLRejection};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, State},
    http::{self, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use tenancy::{Refusal, RequestId, Session};
use tokio::time::timeout;

use super::{
    answer::{Media, executed, has_begun, refused},
    session::{not_let_in, request_id, session},
};
use crate::{Service, errors};

/// The largest request that is read: a CSV of a thousand long rows.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The largest request of somebody who is not logged in: they have little to say.
const MAX_ANONYMOUS_BODY: usize = 64 * 1024;
/// How long a client may take to send its request.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a request may take in all; each statement has its own, shorter bound.
const EXECUTION_TIMEOUT: Duration = Duration::from_secs(30);

/// `POST /graphql`.
pub(super) async fn endpoint(State(service): State<Service>, request: http::Request<Body>) -> Response {
    let request_id = request_id(request.headers());
    let Some(media) = Media::accepted(request.headers()) else {
        let message = "Accept application/graphql-response+json or application/json.";
        return refused(StatusCode::NOT_ACCEPTABLE, Media::Json, "BAD_REQUEST", message, &request_id);
    };
    if request.method() != Method::POST {
        let message = "Send GraphQL as POST.";
        let mut response =
            refused(StatusCode::METHOD_NOT_ALLOWED, media, "BAD_REQUEST", message, &request_id);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    // The session first: nobody's body is read before we know whose it is.
    let session = match session(&service, request.headers(), &request_id).await {
        Ok(session) => session,
        Err(failure) => return not_let_in(&failure, media, &request_id),
    };
    let most = if session.user().is_ok() { MAX_BODY } else { MAX_ANONYMOUS_BODY };
    match read(request, most).await {
        Ok(graphql) => {
            let execution = execute(&service, session, graphql, media, &request_id);
            timeout(EXECUTION_TIMEOUT, execution).await.unwrap_or_else(|_| {
                let (code, message) = (Refusal::Timeout.code(), Refusal::Timeout.to_string());
                refused(StatusCode::GATEWAY_TIMEOUT, media, code, message, &request_id)
            })
        }
        Err((status, message)) => refused(status, media, "BAD_REQUEST", message, &request_id),
    }
}

async fn execute(
    service: &Service,
    session: Session,
    request: Request,
    media: Media,
    request_id: &RequestId,
) -> Response {
    let scope = service.scope(session, request_id.clone());
    let mut request = request.data(listing::Loaders::default()).data(scope);
    // The parsed document stands for its text from here on.
    let text = std::mem::take(&mut request.query);
    let mut response = match service.documents.get(&text) {
        Ok(document) => {
            let operation = document.operation(request.operation_name.as_deref()).cloned();
            request.set_parsed_query(document.executable());
            let repeats = operation.as_ref().is_some_and(|operation| operation.repeats);
            let request = request.data(listing::Answers::new(repeats));
            let mut response = service.schema.execute(request).await;
            if let Some(operation) = operation {
                operation.complete(&mut response);
            }
            if has_begun(&response) {
                service.documents.keep(text, document);
            }
            response
        }
        Err(unusable) => async_graphql::Response::from_errors(vec![unusable.into()]),
    };
    errors::finish(&mut response.errors, request_id);
    executed(media, &response, request_id)
}

/// Our own checks, then async-graphql's extractor, which checks neither type nor size.
async fn read(request: http::Request<Body>, most: usize) -> Result<Request, (StatusCode, String)> {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let content_type =
        header(header::CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    if !content_type.trim().eq_ignore_ascii_case("application/json") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the request as application/json.".to_owned()));
    }
    let too_large =
        || (StatusCode::PAYLOAD_TOO_LARGE, format!("This request may have at most {most} bytes."));
    let announced = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let body = match timeout(READ_TIMEOUT, to_bytes(body, most)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if error.to_string().contains("length limit") => return Err(too_large()),
        Ok(Err(error)) => return Err((StatusCode::BAD_REQUEST, format!("The body cannot be read: {error}"))),
        Err(_) => {
            return Err((StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.".to_owned()));
        }
    };
    let request = http::Request::from_parts(parts, Body::from(body));
    match GraphQLRequest::<GraphQLRejection>::from_request(request, &()).await {
        Ok(request) => Ok(request.into_inner()),
        Err(GraphQLRejection(ParseRequestError::PayloadTooLarge)) => Err(too_large()),
        Err(GraphQLRejection(error)) => {
            let message =
                format!("The body is no GraphQL request {{query, variables, operationName}}: {error}");
            Err((StatusCode::BAD_REQUEST, message))
        }
    }
}
