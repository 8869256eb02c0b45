use async_graphql::{ContainerType, OutputType};
use tenancy::{Failure, Permission, Tx};
use uuid::Uuid;

use crate::{Checks, Draft, Field, Relation, Row, csv::import::CsvRow};

/// What has an id.
pub trait Identified: Send + Sync + 'static {
    /// The GraphQL type: `Contact`.
    const NAME: &'static str;
    /// What the ids of this type start with: `contact`.
    const PREFIX: &'static str;
}

/// What clients see of a tenant table: a row with an id, a revision and a life.
pub trait Entity: Identified + Row + ContainerType + OutputType + Clone {
    /// The field that holds one: `contact`.
    const ONE: &'static str;
    /// The field that holds a list: `contacts`.
    const MANY: &'static str;
    /// The table, and nothing but letters and underscores: `contacts`.
    const TABLE: &'static str;
    /// What a client must hold to read it.
    const READ: Permission;
    /// Its fields, as lists, mutations, imports and exports know them.
    const FIELDS: &'static [Field];
    /// What it is related to.
    const RELATIONS: &'static [Relation<Self>];

    /// The id.
    fn id(&self) -> Uuid;
}

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

/// As type names spell it: `Contacts`.
pub(crate) fn plural<E: Entity>() -> String {
    capital(E::MANY)
}

/// With a capital at the front: as types are called.
pub(crate) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The field of that name.
pub(crate) fn field<E: Entity>(name: &str) -> Option<&'static Field> {
    E::FIELDS.iter().find(|field| field.shape.name == name)
}

/// The relation of that name.
pub(crate) fn relation<E: Entity>(name: &str) -> Option<&'static Relation<E>> {
    E::RELATIONS.iter().find(|relation| relation.name == name)
}
