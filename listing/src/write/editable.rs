use tenancy::{Failure, Permission, Tx};

use crate::{checks::Checks, csv::import::CsvRow, draft::Draft, entity::Entity};

/// An entity that clients may change.
pub trait Changeable: Entity {
    /// What a client must hold to change it.
    const WRITE: Permission;
    /// Whether what is deleted can be brought back.
    const RESTORABLE: bool = true;
}

/// An entity that clients make and change field by field, as its table of fields says. Events say
/// so: `contact.created`, `contact.updated` with the names of the fields as `changed`,
/// `contact.deleted`, `contact.restored`.
pub trait Editable: Changeable {
    /// Columns of a CSV that fill no field by themselves, for [`Editable::from_csv`].
    const CSV_COLUMNS: &'static [&'static str] = &[];

    /// What is wrong with a draft, beyond the rules of its fields.
    fn check(_draft: &Draft, _checks: &mut Checks) {}

    /// Completes a draft from a row of a CSV, beyond the columns named as fields.
    fn from_csv(_row: &CsvRow, _draft: &mut Draft, _checks: &mut Checks) {}

    /// Completes drafts with what only the database knows, and says what is wrong with each. Called
    /// once for all drafts of a mutation, in its transaction, before they are written.
    fn complete(_tx: &Tx, _drafts: &mut [Draft]) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Does what belongs to new ones, in their transaction, after they were written.
    fn created(_tx: &Tx, _made: &[Self]) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }
}
