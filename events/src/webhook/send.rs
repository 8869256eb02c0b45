//! One attempt to deliver: a signed request to an address of somebody else's, who may answer anything,
//! slowly, endlessly or not at all, without harm to us.

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

/// How long a connection may take, with the look-up of the name and the TLS handshake.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an attempt may take, with as much of the answer as is read.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes: enough that an endpoint of good will can finish, though less
/// is kept. Then the connection is dropped.
pub const MAX_RESPONSE: usize = 64 * 1_024;
const AGENT: &str = concat!("Tessera-Webhooks/", env!("CARGO_PKG_VERSION"));

/// How long an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To be connected to.
    pub connect: Duration,
    /// For the whole attempt.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: CONNECT_TIMEOUT, attempt: ATTEMPT_TIMEOUT }
    }
}

/// Sends webhooks: make one and share it.
pub struct Sender {
    client: Client,
    reach: Reach,
    timeouts: Timeouts,
}

/// One delivery to one endpoint.
pub struct Request<'a> {
    /// Where to, as [`check_url`] took it; it is checked again, because rules may have changed since.
    pub url: &'a str,
    /// The same at each attempt of one delivery, so that a receiver can tell a second from a new one;
    /// printable ASCII without a dot.
    pub id: &'a str,
    /// When this attempt is made, in unix seconds; receivers refuse one that is long ago.
    pub timestamp: i64,
    /// JSON, sent to the byte as it is signed.
    pub body: String,
    /// The active secrets of the endpoint, at least one.
    pub secrets: &'a [Secret],
}

/// Why there is no answer.
struct NoResponse {
    error: String,
    outcome: Outcome,
}

impl Sender {
    /// A sender with the usual timeouts.
    ///
    /// # Errors
    /// The HTTP client cannot be made, which is a fault of the build.
    pub fn new(reach: Reach) -> Result<Self, Failure> {
        Self::with_timeouts(reach, Timeouts::default())
    }

    /// A sender that waits as long as this.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn with_timeouts(reach: Reach, timeouts: Timeouts) -> Result<Self, Failure> {
        // Roots of our own, because a container may have none.
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::open(reach, timeouts, system, roots)
    }

    fn open(reach: Reach, timeouts: Timeouts, lookup: Lookup, roots: RootCertStore) -> Result<Self, Failure> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls(roots).map_err(Failure::internal)?)
            .dns_resolver(Resolver { reach, lookup })
            .connect_timeout(timeouts.connect)
            // A redirect could lead anywhere, and a proxy would look names up behind our back.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .retry(retry::never())
            .http1_only()
            // A connection kept would hold on to an address that was checked long ago.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(Failure::internal)?;
        Ok(Self { client, reach, timeouts })
    }

    /// Tries once to deliver. What the status says stands, whatever becomes of the rest of the answer.
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
        // An address in the URL itself is never looked up, so this is what guards it.
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

    /// What went wrong, for people who cannot see our network; the whole of it goes to the log.
    fn classify_error(&self, error: reqwest::Error) -> NoResponse {
        // A URL may hold what only its owner may know.
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

/// The provider is named, so that nothing depends on what else the process has set up.
fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The beginning of a body. One that breaks, drips or does not end is dropped, with its connection.
async fn read_body(mut response: Response, deadline: Instant) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < MAX_RESPONSE
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        read.extend_from_slice(&chunk);
    }
    read
}

/// The first error of a kind among the causes of another.
fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an I/O error wraps is not its source: that is the source of what it wraps.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests;
