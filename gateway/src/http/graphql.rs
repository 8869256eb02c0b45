use std::{error::Error, time::Duration};

use async_graphql::{Request, Response as GraphqlResponse, ServerError};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{self, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use http_body_util::LengthLimitError;
use request::{Parameters, Prepared, Refused};
use tenancy::{Failure, Refusal, RequestId, Session};
use tokio::time::timeout;

use super::{
    answer::{Media, executed, not_executed, refused, refused_for},
    panics::caught,
    session::{not_let_in, request_id, session},
};
use crate::{Service, errors};

/// The largest request body: enough for a CSV of a thousand long rows.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The largest request body of an anonymous client.
const MAX_ANONYMOUS_BODY: usize = 64 * 1024;
/// The time limit for receiving a request.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// The time limit for executing a request; each statement has a shorter one.
const EXECUTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body was rejected.
struct Unreadable {
    status: StatusCode,
    message: String,
    /// The limit that was exceeded: its name and maximum.
    limit: Option<(&'static str, u64)>,
}

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
    caught(authenticated(&service, request, media, &request_id), media, &request_id).await
}

/// Authenticates first: the size limit of the body depends on it.
async fn authenticated(
    service: &Service,
    request: http::Request<Body>,
    media: Media,
    request_id: &RequestId,
) -> Response {
    let caller = match session(service, request.headers(), request_id).await {
        Ok(session) => Caller { session, stale: None },
        // Whoever logs in or refreshes a log-in may still send the token that has expired.
        Err(failure @ Failure::Refused(Refusal::Unauthenticated)) => {
            Caller { session: Session::anonymous(), stale: Some(failure) }
        }
        Err(failure) => return not_let_in(&failure, media, request_id),
    };
    let most = if caller.session.user().is_ok() { MAX_BODY } else { MAX_ANONYMOUS_BODY };
    let body = match (read(request, most).await, &caller.stale) {
        (Ok(body), _) => body,
        (Err(_), Some(failure)) => return not_let_in(failure, media, request_id),
        (Err(Unreadable { status, message, limit }), None) => {
            return refused_for(limit, status, media, "BAD_REQUEST", message, request_id);
        }
    };
    timeout(EXECUTION_TIMEOUT, respond(service, caller, &body, media, request_id)).await.unwrap_or_else(
        |_| {
            let (code, message) = (Refusal::Timeout.code(), Refusal::Timeout.to_string());
            let limit = Some(("EXECUTION_SECONDS", EXECUTION_TIMEOUT.as_secs()));
            refused_for(limit, StatusCode::GATEWAY_TIMEOUT, media, code, message, request_id)
        },
    )
}

/// Who sent a request.
struct Caller {
    session: Session,
    /// Why the token that was sent is not accepted. The request is then executed only if it asks for
    /// nothing but what is open to everybody.
    stale: Option<Failure>,
}

async fn respond(
    service: &Service,
    caller: Caller,
    body: &[u8],
    media: Media,
    request_id: &RequestId,
) -> Response {
    let refuse = |status, Refused(problems): Refused| {
        let mut errors: Vec<ServerError> = problems.into_iter().map(ServerError::from).collect();
        errors::finish(&mut errors, request_id);
        not_executed(status, media, &errors, request_id)
    };
    let parameters = match (Parameters::from_json(body), &caller.stale) {
        (Ok(parameters), _) => parameters,
        (Err(_), Some(failure)) => return not_let_in(failure, media, request_id),
        (Err(problems), None) => return refuse(StatusCode::BAD_REQUEST, problems),
    };
    match answered(service, caller, parameters, request_id).await {
        Ok(mut response) => {
            errors::finish(&mut response.errors, request_id);
            executed(media, &response, request_id)
        }
        Err(Unanswered::Refused(problems)) => refuse(media.status_of_a_refusal(), problems),
        Err(Unanswered::NotLetIn(failure)) => not_let_in(&failure, media, request_id),
    }
}

/// Why an operation was not executed.
enum Unanswered {
    /// It cannot be.
    Refused(Refused),
    /// Its token is not accepted.
    NotLetIn(Failure),
}

/// What the operation of a request answers: from memory, if only the schema decides it.
async fn answered(
    service: &Service,
    Caller { session, stale }: Caller,
    parameters: Parameters,
    request_id: &RequestId,
) -> Result<GraphqlResponse, Unanswered> {
    let refused = |problems: Refused| match &stale {
        Some(failure) => Unanswered::NotLetIn(failure.clone()),
        None => Unanswered::Refused(problems),
    };
    let Parameters { query, operation_name, variables, .. } = parameters;
    let document = service.documents.get(&query).map_err(refused)?;
    let operation = document.operation(operation_name.as_deref()).map_err(refused)?;
    let prepared = operation.prepare(&service.documents.model, variables).map_err(refused)?;
    if let Some(failure) = stale {
        let fields = prepared.root_fields();
        if fields.is_empty() || !fields.iter().all(|field| domain_identity::OPEN_TO_EVERYBODY.contains(field))
        {
            return Err(Unanswered::NotLetIn(failure));
        }
    }
    if !operation.is_introspection() {
        return Ok(execute(service, session, prepared, request_id).await);
    }
    let (known, key) = (&service.documents.introspections, (query, operation_name));
    if let Some(answer) = known.get(&key) {
        return Ok(GraphqlResponse::new(answer));
    }
    let response = execute(service, session, prepared, request_id).await;
    if response.errors.is_empty() {
        known.keep(key, &response.data);
    }
    Ok(response)
}

async fn execute(
    service: &Service,
    session: Session,
    prepared: Prepared,
    request_id: &RequestId,
) -> GraphqlResponse {
    let mut request = Request::new("")
        .variables(prepared.variables)
        .data(listing::Loaders::default())
        .data(listing::ResponseBudget::new(prepared.repeats))
        .data(service.scope(session, request_id.clone()));
    request.set_parsed_query(prepared.document);
    let mut response = service.schema.execute(request).await;
    prepared.plan.complete(&mut response);
    response
}

/// Reads the body of a request, if it is JSON and not too long.
async fn read(request: http::Request<Body>, most: usize) -> Result<Bytes, Unreadable> {
    let (parts, body) = request.into_parts();
    check_headers(&parts.headers, most)?;
    match timeout(READ_TIMEOUT, to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_long(&error) => Err(too_large(most)),
        Ok(Err(error)) => Err(Unreadable {
            status: StatusCode::BAD_REQUEST,
            message: format!("The body cannot be read: {error}"),
            limit: None,
        }),
        Err(_) => Err(Unreadable {
            status: StatusCode::REQUEST_TIMEOUT,
            message: "The request took too long to arrive.".to_owned(),
            limit: Some(("READ_SECONDS", READ_TIMEOUT.as_secs())),
        }),
    }
}

/// Whether `to_bytes` stopped at its limit.
fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(|source| source.is::<LengthLimitError>())
}

fn check_headers(headers: &HeaderMap, most: usize) -> Result<(), Unreadable> {
    let unsupported = |message: &str| {
        let (status, message) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned());
        Err(Unreadable { status, message, limit: None })
    };
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut content_type = header(header::CONTENT_TYPE).unwrap_or_default().split(';').map(str::trim);
    if !content_type.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        return unsupported("Send the request as application/json.");
    }
    let mut charsets = content_type.filter_map(|parameter| parameter.split_once('='));
    let is_utf8 = |charset: &str| charset.trim_matches('"').eq_ignore_ascii_case("utf-8");
    if charsets.any(|(name, value)| name.eq_ignore_ascii_case("charset") && !is_utf8(value)) {
        return unsupported("Send the request in UTF-8.");
    }
    if header(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return unsupported("Send the request without Content-Encoding.");
    }
    let announced = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) { Err(too_large(most)) } else { Ok(()) }
}

fn too_large(most: usize) -> Unreadable {
    Unreadable {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        message: format!("This request may have at most {most} bytes."),
        limit: Some(("BODY_BYTES", u64::try_from(most).unwrap_or(u64::MAX))),
    }
}
