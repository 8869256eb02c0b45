//! Mail: rendered from templates, enqueued in the transaction that causes it, sent by a worker.

mod template;
mod transport;

use serde::{Deserialize, Serialize};
use tenancy::{Failure, Tx};

use crate::{ClaimedJob, Job, JobError, enqueue};

pub use template::Template;
pub use transport::{MailSettings, Mailer, SendError, SettingsError};

/// The kind of the jobs that send mail.
pub(crate) const SEND: &str = "mail";

/// A rendered mail, as the payload of its job; the mailer adds the remaining headers.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The recipient.
    pub to: Recipient,
    /// The subject, a single line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// The recipient of a mail.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The display name; may be empty.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// Enqueues a mail in this transaction: it is sent if and only if the transaction commits.
///
/// # Errors
/// Errors of the database.
pub async fn send(tx: &Tx, mail: Mail) -> Result<(), Failure> {
    let summary = format!("{} to {}", mail.subject, mail.to.email);
    let payload = serde_json::to_value(mail).map_err(Failure::internal)?;
    enqueue(tx, Job { kind: SEND, payload, summary }).await
}

/// Handles a mail job. The job's id becomes the Message-ID, so that a receiver recognises a mail that
/// is sent twice because a worker died in between.
pub(crate) async fn deliver(mailer: Mailer, job: ClaimedJob) -> Result<(), JobError> {
    let mail: Mail = serde_json::from_value(job.payload.clone())
        .map_err(|_| JobError::permanent("The mail in the queue cannot be read."))?;
    let SendError { message, permanent } = match mailer.send(job.id(), &mail).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    Err(JobError { message, permanent, wait: None })
}
