//! The HTTP client for webhooks. It sends a signed request to an untrusted host and limits the time and
//! the bytes of the response.

use std::{error::Error, io, sync::Arc, time::Duration};

use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, USER_AGENT},
    redirect, retry,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tenancy::Failure;
use tokio::time::{Instant, timeout_at};

use super::{
    attempt::{Attempt, Outcome, classify, printable},
    guard::{Reach, check_url},
    resolve::{Lookup, PrivateName, Resolver, system},
    signature::{Secret, sign},
};

/// The time limit for connecting, including DNS lookup and TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for an attempt, including reading the response.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of a response body is read, in bytes: more than is stored, so that a normal endpoint can
/// finish its response. Then the connection is closed.
pub const MAX_RESPONSE: usize = 64 * 1_024;
const AGENT: &str = concat!("Tessera-Webhooks/", env!("CARGO_PKG_VERSION"));

/// The time limits of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For connecting.
    pub connect: Duration,
    /// For the whole attempt.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: CONNECT_TIMEOUT, attempt: ATTEMPT_TIMEOUT }
    }
}

/// Sends webhooks. Create one and share it.
pub struct Sender {
    client: Client,
    reach: Reach,
    timeouts: Timeouts,
}

/// One delivery attempt.
pub struct Request<'a> {
    /// The URL of the endpoint; it is checked again, because the rules may have changed.
    pub url: &'a str,
    /// The id of the event, the same at each attempt, so that receivers recognise a repetition;
    /// printable ASCII without a dot.
    pub id: &'a str,
    /// The time of this attempt, in Unix seconds; receivers reject old ones.
    pub timestamp: i64,
    /// The JSON body; exactly these bytes are signed and sent.
    pub body: String,
    /// The active secrets of the endpoint, at least one.
    pub secrets: &'a [Secret],
}

/// Why there is no response.
struct NoResponse {
    error: String,
    outcome: Outcome,
}

impl Sender {
    /// Creates a sender with the default timeouts.
    ///
    /// # Errors
    /// The HTTP client cannot be created.
    pub fn new(reach: Reach) -> Result<Self, Failure> {
        Self::with_timeouts(reach, Timeouts::default())
    }

    /// Creates a sender with other timeouts.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn with_timeouts(reach: Reach, timeouts: Timeouts) -> Result<Self, Failure> {
        // Built-in root certificates, because a container may have none.
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::open(reach, timeouts, system, roots)
    }

    fn open(reach: Reach, timeouts: Timeouts, lookup: Lookup, roots: RootCertStore) -> Result<Self, Failure> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls(roots).map_err(Failure::internal)?)
            .dns_resolver(Resolver { reach, lookup })
            .connect_timeout(timeouts.connect)
            // A redirect could lead to a forbidden address, and a proxy would resolve names itself.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .retry(retry::never())
            .http1_only()
            // A pooled connection would keep using an address that was checked long ago.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(Failure::internal)?;
        Ok(Self { client, reach, timeouts })
    }

    /// Makes one attempt. The status decides the outcome, even if reading the body fails.
    pub async fn send(&self, request: Request<'_>) -> Attempt {
        let start = Instant::now();
        let deadline = start + self.timeouts.attempt;
        match self.answer(request, deadline).await {
            Ok(response) => {
                let status = response.status();
                let (outcome, error) = classify(status, response.headers());
                let response = printable(&read_body(response, deadline).await);
                let duration = start.elapsed();
                Attempt { status: Some(status.as_u16()), error, response, duration, outcome }
            }
            Err(NoResponse { error, outcome }) => {
                let duration = start.elapsed();
                Attempt { status: None, error: Some(error), response: None, duration, outcome }
            }
        }
    }

    async fn answer(&self, request: Request<'_>, deadline: Instant) -> Result<Response, NoResponse> {
        let Request { url, id, timestamp, body, secrets } = request;
        // The resolver does not see an IP address in a URL, so it is checked here.
        let url = check_url(url, self.reach).map_err(|error| NoResponse::refused(&error))?;
        if secrets.is_empty() {
            return Err(NoResponse::refused(&"There is no secret to sign with."));
        }
        let sending = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(secrets, id, timestamp, &body))
            .body(body)
            .send();
        match timeout_at(deadline, sending).await {
            Ok(answered) => answered.map_err(|error| self.classify_error(error)),
            Err(_) => Err(NoResponse::retry(format!(
                "It did not answer within {} seconds.",
                self.timeouts.attempt.as_secs_f64()
            ))),
        }
    }

    /// The error as a sentence that reveals nothing about our network; the log has the details.
    fn classify_error(&self, error: reqwest::Error) -> NoResponse {
        // A URL may contain secrets.
        let error = error.without_url();
        tracing::debug!(?error, "a webhook was not delivered");
        if let Some(inner) = find_cause::<PrivateName>(&error) {
            return NoResponse::refused(inner);
        }
        let sentence = match find_cause::<rustls::Error>(&error) {
            Some(rustls::Error::InvalidCertificate(_)) => "Its TLS certificate is not valid.",
            Some(_) => "No secure connection (TLS) could be made.",
            None if error.is_builder() => "The request could not be written.",
            None if error.is_dns() => "The name in the URL could not be looked up.",
            None if error.is_connect() && error.is_timeout() => {
                let seconds = self.timeouts.connect.as_secs_f64();
                return NoResponse::retry(format!("It could not be connected to within {seconds} seconds."));
            }
            None if error.is_connect() => match find_cause::<io::Error>(&error).map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionRefused) => "It refused the connection.",
                _ => "It could not be connected to.",
            },
            None => "It closed the connection without an answer, or did not answer in HTTP.",
        };
        NoResponse::retry(sentence.to_owned())
    }
}

impl NoResponse {
    fn retry(error: String) -> Self {
        Self { error, outcome: Outcome::Retry { after: None } }
    }

    fn refused(error: &impl ToString) -> Self {
        Self { error: error.to_string(), outcome: Outcome::Refused }
    }
}

/// Names the crypto provider explicitly, because another crate may install a process default.
fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Reads the start of a body, up to [`MAX_RESPONSE`] bytes, an error or the deadline.
async fn read_body(mut response: Response, deadline: Instant) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < MAX_RESPONSE
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        read.extend_from_slice(&chunk);
    }
    read
}

/// The first error of type `E` in the chain of causes.
fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // `io::Error::source` skips the wrapped error and returns its source.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests;
