//! Mail: written from templates, kept in the queue with what caused it, sent by a worker.

mod template;
mod transport;

use serde::{Deserialize, Serialize};
use tenancy::{Failure, Tx};

pub use template::Template;
pub use transport::{MailSettings, Mailer, SendError, SettingsError};

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
    // PROVISIONAL, to be replaced by the queue: `queue::enqueue(tx, Job::mail(&mail))`.
    use diesel::ExpressionMethods;

    use crate::tables::jobs;
    let payload = serde_json::to_value(mail).map_err(Failure::internal)?;
    let row = (jobs::id.eq(uuid::Uuid::now_v7()), jobs::kind.eq("mail"), jobs::payload.eq(payload));
    tx.execute(diesel::insert_into(jobs::table).values(row)).await.map(drop)
}
