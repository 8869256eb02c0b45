// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::{Changeable, Entity, Field, Id, Identified, Related, Relation};
use tenancy::Permission;
use uuid::Uuid;

use crate::tables::dead_letters;

/// Something the service could not do in the background, however often it tried: a mail, a webhook.
/// Replay it when the cause is mended, or dismiss it by deleting it.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = dead_letters)]
#[graphql(complex)]
pub struct DeadLetter {
    /// The id.
    pub id: Id<DeadLetter>,
    /// What sort of work it is: `mail`, `webhook`.
    pub(crate) kind: String,
    /// What it is about.
    pub(crate) summary: String,
    /// How often it was tried.
    pub(crate) attempts: i32,
    /// What went wrong last.
    pub(crate) last_error: String,
    /// When it was first to be done.
    pub(crate) enqueued_at: DateTime<Utc>,
    /// When it was put back into the queue, if it was.
    pub(crate) replayed_at: Option<DateTime<Utc>>,
    /// When it was given up.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts the changes; give it as `expectedRevision`.
    pub revision: i32,
    /// When it was dismissed or replayed. Such are answered only where a list's filter asks for
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
