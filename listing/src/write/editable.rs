use async_graphql::ObjectType;
use tenancy::{Failure, Permission, Session};

use crate::{checks::Checks, csv::import::CsvRow, draft::Draft, entity::Entity, write::work::Work};

/// An entity that clients create and change field by field, as its table of fields says. Events report
/// it: `contact.created`, `contact.updated` with the names of the fields as `changed`,
/// `contact.deleted`, `contact.restored`.
///
/// The hooks run inside the transaction of the write. What they change is rolled back with it.
pub trait Editable: Entity {
    /// What a client must hold to change it.
    const WRITE: Permission;
    /// Further fields in the payloads of `create` and `update`, such as possible duplicates;
    /// [`crate::Nothing`] if there are none. They are null where there are errors, and in the answer to a
    /// repetition.
    type Further: ObjectType + 'static;
    /// Columns of a CSV that fill no field by themselves, for [`Editable::from_csv`].
    const CSV_COLUMNS: &'static [&'static str] = &[];
    /// The field by which an import knows rows again: a row of the CSV whose key the organisation has is a
    /// change of that row, in which empty cells change nothing. The column is unique, deleted rows
    /// included.
    const NATURAL_KEY: Option<&'static str> = None;
    /// Whether the rules of a change look at the row as it is. The row is then locked and read before
    /// the change, [`Draft::value`] knows its values, and the hooks below get it.
    const READS_CURRENT: bool = false;

    /// Completes a draft from a row of a CSV, beyond the columns named as fields. [`Draft::value`] knows what
    /// a row holds that the import changes.
    fn from_csv(_row: &CsvRow, _draft: &mut Draft, _checks: &mut Checks) {}

    /// Checks a draft beyond the rules of its fields, without the database. It reads values by
    /// [`Draft::value`], so that a rule across fields is written once for new and changed rows.
    fn check(_draft: &Draft, _checks: &mut Checks) {}

    /// Whether the session may change this row, or delete or restore it. Asked with
    /// [`Editable::READS_CURRENT`] alone.
    ///
    /// # Errors
    /// NOT_ALLOWED, INVALID_TRANSITION.
    fn may_change(_session: &Session, _current: &Self) -> Result<(), Failure> {
        Ok(())
    }

    /// Completes drafts with what only the database knows, and notes what is wrong with each. Called
    /// once for all drafts of a mutation, before they are written.
    fn complete(_work: &Work<'_>, _drafts: &mut [Draft]) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called with new rows after they were written.
    fn created(_work: &Work<'_>, _made: &[Self]) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called with a row before and after a change; with [`Editable::READS_CURRENT`] alone.
    fn changed(
        _work: &Work<'_>,
        _before: &Self,
        _after: &Self,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// The further fields of the payload, of a row that was created or changed.
    fn further(
        _work: &Work<'_>,
        _row: &Self,
    ) -> impl Future<Output = Result<Option<Self::Further>, Failure>> + Send {
        std::future::ready(Ok(None))
    }

    /// Called with a row before it is deleted; with [`Editable::READS_CURRENT`] alone.
    fn deleting(_work: &Work<'_>, _row: &Self) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called with a row after it was deleted.
    fn deleted(_work: &Work<'_>, _row: &Self) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called with a deleted row before it is restored; with [`Editable::READS_CURRENT`] alone.
    fn restoring(_work: &Work<'_>, _row: &Self) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called with a row after it was restored.
    fn restored(_work: &Work<'_>, _row: &Self) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }
}
