use async_graphql::{Enum, SimpleObject};

use diesel::prelude::*;
use listing::{Entity, Field, Id, Identified, Instant, Life, Named, Relation, Sight, Steps};
use tenancy::{Permission, Session};
use uuid::Uuid;

use crate::tables::dead_letters;

/// What became of a dead letter.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterState {
    /// It waits to be replayed or dismissed.
    Waiting,
    /// Its job is in the queue again.
    Replayed,
    /// It was given up.
    Dismissed,
}

impl Steps for DeadLetterState {
    const ALLOWED: &'static [(Self, Self)] =
        &[(Self::Waiting, Self::Replayed), (Self::Waiting, Self::Dismissed)];
}

/// A background job (a mail, a webhook delivery) that failed at every attempt. Replay it once the
/// cause is fixed, or dismiss it.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = dead_letters)]
#[graphql(complex)]
pub struct DeadLetter {
    /// The id of the dead letter.
    pub id: Id<DeadLetter>,
    /// The kind of job: `mail`, `webhook`.
    pub(crate) kind: String,
    /// A short description of the job.
    pub(crate) summary: String,
    /// The number of attempts.
    pub(crate) attempts: i32,
    /// The error of the last attempt.
    pub(crate) last_error: String,
    /// When the job was enqueued.
    pub(crate) enqueued_at: Instant,
    /// What became of it.
    pub(crate) state: Named<DeadLetterState>,
    /// When it was replayed or dismissed; null while it waits.
    pub(crate) settled_at: Option<Instant>,
    /// When the job became a dead letter.
    pub created_at: Instant,
    /// When the dead letter was last changed.
    pub updated_at: Instant,
    /// The revision number, which every change increments; pass it as `expectedRevision`.
    pub revision: i32,
}

listing::related!(DeadLetter);

impl Identified for DeadLetter {
    const NAME: &'static str = "DeadLetter";
    const PREFIX: &'static str = "dead_letter";
}

impl Entity for DeadLetter {
    const ONE: &'static str = "deadLetter";
    const MANY: &'static str = "deadLetters";
    const TABLE: &'static str = "dead_letters";
    const LIFE: Life = Life::Kept;
    const READ: &'static [Permission] = &[Permission::ReadDeadLetters];
    const FIELDS: &'static [Field] = &[
        Field::new("kind", dead_letters::kind),
        Field::new("summary", dead_letters::summary),
        Field::new("attempts", dead_letters::attempts),
        Field::new("lastError", dead_letters::last_error),
        Field::new("enqueuedAt", dead_letters::enqueued_at),
        Field::choice::<DeadLetterState, _>("state", dead_letters::state),
        Field::new("settledAt", dead_letters::settled_at),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}
