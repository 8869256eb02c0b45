// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::{Changeable, Entity, Field, Id, Identified, Related, Relation};
use tenancy::Permission;
use uuid::Uuid;

use crate::tables::dead_letters;

/// A background job (a mail, a webhook delivery) that failed at every attempt. Replay it once the
/// cause is fixed, or dismiss it by deleting it.
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
    pub(crate) enqueued_at: DateTime<Utc>,
    /// When the job was last put back into the queue; null if never.
    pub(crate) replayed_at: Option<DateTime<Utc>>,
    /// When the job became a dead letter.
    pub created_at: DateTime<Utc>,
    /// When the dead letter was last changed.
    pub updated_at: DateTime<Utc>,
    /// The revision number, which every change increments; pass it as `expectedRevision`.
    pub revision: i32,
    /// When it was dismissed or replayed. Lists return such dead letters only if their filter names
    /// `deletedAt`.
    pub deleted_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl DeadLetter {
    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn related(&self) -> Related<'_, DeadLetter> {
        Related(self)
    }
}

impl Identified for DeadLetter {
    const NAME: &'static str = "DeadLetter";
    const PREFIX: &'static str = "dead_letter";
}

impl Entity for DeadLetter {
    const ONE: &'static str = "deadLetter";
    const MANY: &'static str = "deadLetters";
    const TABLE: &'static str = "dead_letters";
    const READ: Permission = Permission::ReadDeadLetters;
    const FIELDS: &'static [Field] = &[
        Field::new("kind", dead_letters::kind),
        Field::new("summary", dead_letters::summary),
        Field::new("attempts", dead_letters::attempts),
        Field::new("lastError", dead_letters::last_error),
        Field::new("enqueuedAt", dead_letters::enqueued_at),
        Field::new("replayedAt", dead_letters::replayed_at),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[];

    fn id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Changeable for DeadLetter {
    const WRITE: Permission = Permission::WriteDeadLetters;
    const RESTORABLE: bool = false;
}
