//! Mail: written from templates, kept in the queue with what caused it, sent by a worker.

mod template;
mod transport;

use serde::{Deserialize, Serialize};
use tenancy::{Failure, Tx};

use crate::{ClaimedJob, Job, JobError, enqueue};

pub use template::Template;
pub use transport::{MailSettings, Mailer, SendError, SettingsError};

/// The kind of the jobs that send.
pub(crate) const SEND: &str = "mail";

/// One mail as it lies in the queue: everything but what the sender adds.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who gets it.
    pub to: Recipient,
    /// One line.
    pub subject: String,
    /// The body for those who read text.
    pub text: String,
    /// The same for those who read HTML.
    pub html: String,
}

/// Who gets a mail.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The name to show; may be empty.
    pub name: String,
    /// The address.
    pub email: String,
}

/// Puts a mail into the queue of this transaction's organisation: it leaves if the transaction
/// commits, and not otherwise.
///
/// # Errors
/// What the database refuses.
pub async fn send(tx: &Tx, mail: Mail) -> Result<(), Failure> {
    let summary = format!("{} to {}", mail.subject, mail.to.email);
    let payload = serde_json::to_value(mail).map_err(Failure::internal)?;
    enqueue(tx, Job { kind: SEND, payload, summary }).await
}

/// Sends a mail of the queue. Its id is that of the job, so that a mail which leaves twice because a
/// worker died in between can be known for the same.
pub(crate) async fn deliver(mailer: Mailer, job: ClaimedJob) -> Result<(), JobError> {
    let mail: Mail = serde_json::from_value(job.payload.clone())
        .map_err(|_| JobError::permanent("The mail in the queue cannot be read."))?;
    let SendError { message, permanent } = match mailer.send(job.id(), &mail).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    Err(JobError { message, permanent, wait: None })
}
