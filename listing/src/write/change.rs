//! Changes of single rows: create, update, delete, restore.

use std::marker::PhantomData;

use serde_json::json;
use tenancy::{ErrorCode, Event, Failure, Scope, UserError};
use uuid::Uuid;

use crate::{
    checks::Checks,
    csv::import::CsvRow,
    draft::Draft,
    sql::{
        change::{Insert, SoftDelete, Update, Written},
        condition::{Comparison, Condition, Table, Term},
        statement::Statement,
    },
    typed::entity,
    value::Value,
    write::{
        editable::Editable,
        input::{self, Input},
        payload::{Changed, Made},
        reading::{self, fields},
        references,
        work::{Stored, Work},
    },
};

/// Passes if the session may change such rows, and read what payloads answer.
pub(crate) fn allowed<E: Editable>(scope: &Scope) -> Result<(), Failure> {
    scope.require(E::WRITE)?;
    entity::<E>().require(scope)
}

/// A draft that was read, with what the entity's own rules say of it.
pub(crate) fn checked<E: Editable>((mut draft, mut checks): (Draft, Checks)) -> Draft {
    E::check(&draft, &mut checks);
    draft.errors.extend(checks.errors());
    draft
}

/// Adds a row.
///
/// # Errors
/// FORBIDDEN; INVALID fields; NOT_FOUND for rows that it refers to and the session does not see.
pub(crate) async fn create<E: Editable>(
    scope: &Scope,
    operation: &str,
    mut input: Input,
) -> Result<Made<E, E::Further>, Failure> {
    allowed::<E>(scope)?;
    let key = input.key(operation)?;
    let draft = checked::<E>(reading::new_row(entity::<E>(), input.object(E::ONE)));
    draft.accepted().map_err(at_row::<E>)?;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let mut drafts = [draft];
        complete::<E>(&work, &mut drafts).await?;
        drafts.iter().try_for_each(Draft::accepted)?;
        let row = insert::<E>(&work, drafts.into()).await?.pop();
        let further = match &row {
            Some(row) => E::further(&work, row).await?,
            None => None,
        };
        Ok(Made { row, further })
    });
    made.await.map_err(at_row::<E>)
}

/// Errors of a new row, at its place in the input.
fn at_row<E: Editable>(failure: Failure) -> Failure {
    let at_row = |error: UserError| match &error.field {
        Some(path) if path.first().is_none_or(|first| first != input::KEY) => error.under(E::ONE),
        _ => error,
    };
    match failure {
        Failure::User(errors) => Failure::User(errors.into_iter().map(at_row).collect()),
        other => other,
    }
}

/// Changes the given fields of a row, if it still has the revision that the client knows.
///
/// # Errors
/// FORBIDDEN; INVALID fields; NOT_FOUND for a row that the session does not see, or that it is to
/// refer to.
pub(crate) async fn update<E: Editable>(
    scope: &Scope,
    mut input: Input,
) -> Result<(Changed<E>, Option<E::Further>), Failure> {
    allowed::<E>(scope)?;
    let (id, revision) = (input.id::<E>()?, input.revision()?.unwrap_or_default());
    let change = Change::<E>::read(id, revision, input)?;
    let changed = scope.write(E::WRITE, |tx| async move {
        let work = Work::new(scope, &tx);
        let changed = change.write(&work).await?;
        let further = match &changed {
            Changed::Done(row) => E::further(&work, row).await?,
            Changed::Stale(_) => None,
        };
        Ok((changed, further))
    });
    changed.await
}

/// A change of a row that has been read.
pub(crate) struct Change<E> {
    id: Uuid,
    revision: i32,
    draft: Draft,
    /// What is wrong with single fields; the entity's own rules may have to wait for the row.
    checks: Option<Checks>,
    entity: PhantomData<fn() -> E>,
}

impl<E: Editable> Change<E> {
    /// Reads the fields to change.
    ///
    /// # Errors
    /// INVALID fields, as far as they can be told without the row.
    pub(crate) fn read(id: Uuid, revision: i32, input: Input) -> Result<Self, Failure> {
        let (draft, checks) = reading::change(entity::<E>(), id, input.rest());
        let entity = PhantomData;
        if E::READS_CURRENT {
            return Ok(Self { id, revision, draft, checks: Some(checks), entity });
        }
        let draft = checked::<E>((draft, checks));
        draft.accepted()?;
        Ok(Self { id, revision, draft, checks: None, entity })
    }

    /// A change from a row of a CSV, of a row that holds these values now.
    pub(crate) fn from_csv(id: Uuid, revision: i32, current: Stored, row: CsvRow) -> Self {
        let (mut draft, mut checks) = reading::csv_change(entity::<E>(), id, &row);
        draft.current = Some(current);
        E::from_csv(&row, &mut draft, &mut checks);
        // What never changes may stand in a file that is imported again.
        draft.values.retain(|(field, _)| field.given.is_some_and(|given| !given.fixed));
        draft.csv = Some(row);
        let entity = PhantomData;
        if E::READS_CURRENT {
            return Self { id, revision, draft, checks: Some(checks), entity };
        }
        Self { id, revision, draft: checked::<E>((draft, checks)), checks: None, entity }
    }

    /// The row that it changes.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// The row of the CSV that it comes from.
    pub(crate) fn csv(&self) -> Option<&CsvRow> {
        self.draft.csv()
    }

    /// Writes it.
    pub(crate) async fn write(self, work: &Work<'_>) -> Result<Changed<E>, Failure> {
        let table = entity::<E>().rows(work.session());
        let before = match current::<E>(work, &table, self.id, self.revision).await? {
            Current::Stale(row) => return Ok(Changed::Stale(row)),
            Current::Gone => return Err(Failure::not_found("id")),
            Current::Read(row) => Some(row),
            Current::Unread => None,
        };
        let mut draft = self.draft;
        if let (Some(row), Some(checks)) = (&before, self.checks) {
            E::may_change(work.session(), row)?;
            draft.current = work.values(entity::<E>(), vec![self.id]).await?.remove(&self.id);
            draft = checked::<E>((draft, checks));
        }
        let mut drafts = [draft];
        complete::<E>(work, &mut drafts).await?;
        let [draft] = drafts;
        draft.accepted()?;
        let changes = draft.values();
        let names: Vec<&str> = changes.iter().map(|(written, _)| written.field).collect();
        let details = json!({ "changed": names });
        let differs = Condition::Any(changes.iter().map(differs).collect());
        let conditions = vec![Condition::id(self.id), Condition::revision(self.revision), differs];
        let update = Statement::Update(Update { table, conditions, changes });
        let Some(row) = E::rows_in(work.tx(), update).await?.pop() else {
            let row: E = work.find(self.id).await?.ok_or_else(|| Failure::not_found("id"))?;
            // Nothing differs: the row stays as it is, and nothing has happened.
            let is_as_wanted = row.revision() == self.revision;
            return Ok(if is_as_wanted { Changed::Done(row) } else { Changed::Stale(row) });
        };
        if let Some(before) = before {
            E::changed(work, &before, &row).await?;
        }
        work.tx().publish(Event::new(E::PREFIX, "updated", self.id, details));
        Ok(Changed::Done(row))
    }
}

/// The row that is about to change.
enum Current<E> {
    /// Locked, and in the revision that the client knows; for rules that look at it.
    Read(E),
    /// Locked, in another revision.
    Stale(E),
    /// The session does not see it.
    Gone,
    /// Nothing has to look at it.
    Unread,
}

/// Locks and reads the row that is about to change, if rules look at it. Where rows of other tables decide
/// whether it is seen, it is locked too, and that is asked again: it may have changed during the wait.
async fn current<E: Editable>(
    work: &Work<'_>,
    table: &Table,
    id: Uuid,
    revision: i32,
) -> Result<Current<E>, Failure> {
    if !E::READS_CURRENT && !table.depends_on_others() {
        return Ok(Current::Unread);
    }
    Ok(match work.lock_in::<E>(table, id).await? {
        None => Current::Gone,
        Some(row) if row.revision() != revision => Current::Stale(row),
        Some(row) if E::READS_CURRENT => Current::Read(row),
        Some(_) => Current::Unread,
    })
}

/// That a column holds something else.
fn differs((written, value): &(Written, Value)) -> Condition {
    let term = Term::Column(written.column);
    match value {
        Value::Null => Condition::Not(Box::new(Condition::Empty(term))),
        value => Condition::Is(term, Comparison::Ne, value.clone()),
    }
}

/// Why a change found no row with that id and revision: the row has another, or is not seen.
async fn stale<E: Editable>(work: &Work<'_>, id: Uuid) -> Result<Changed<E>, Failure> {
    work.find(id).await?.map(Changed::Stale).ok_or_else(|| Failure::not_found("id"))
}

/// Deletes a row softly.
///
/// # Errors
/// FORBIDDEN; NOT_FOUND for a row that the session does not see.
pub(crate) async fn delete<E: Editable>(
    work: &Work<'_>,
    id: Uuid,
    revision: i32,
) -> Result<Changed<E>, Failure> {
    let table = entity::<E>().rows(work.session());
    match current::<E>(work, &table, id, revision).await? {
        Current::Stale(row) => return Ok(Changed::Stale(row)),
        Current::Gone => return Err(Failure::not_found("id")),
        Current::Read(row) => {
            E::may_change(work.session(), &row)?;
            E::deleting(work, &row).await?;
        }
        Current::Unread => {}
    }
    let conditions = vec![Condition::id(id), Condition::revision(revision)];
    let delete = Statement::SoftDelete(SoftDelete { table, conditions, deleted: true });
    let Some(row) = E::rows_in(work.tx(), delete).await?.pop() else { return stale(work, id).await };
    E::deleted(work, &row).await?;
    work.tx().publish(Event::new(E::PREFIX, "deleted", id, json!({})));
    Ok(Changed::Done(row))
}

/// Restores a deleted row.
///
/// # Errors
/// FORBIDDEN; NOT_FOUND for a row that the session does not see; INVALID_TRANSITION for one that is not
/// deleted.
pub(crate) async fn restore<E: Editable>(
    work: &Work<'_>,
    id: Uuid,
    revision: i32,
) -> Result<Changed<E>, Failure> {
    let table = entity::<E>().rows(work.session()).only_deleted();
    let row = match current::<E>(work, &table, id, revision).await? {
        Current::Stale(row) => return Ok(Changed::Stale(row)),
        Current::Gone => return not_restored(work, id).await,
        Current::Read(row) => Some(row),
        Current::Unread => None,
    };
    if let Some(row) = row {
        E::may_change(work.session(), &row)?;
        E::restoring(work, &row).await?;
    }
    let conditions = vec![Condition::id(id), Condition::revision(revision)];
    let restore = Statement::SoftDelete(SoftDelete { table, conditions, deleted: false });
    let Some(row) = E::rows_in(work.tx(), restore).await?.pop() else {
        return not_restored(work, id).await;
    };
    E::restored(work, &row).await?;
    work.tx().publish(Event::new(E::PREFIX, "restored", id, json!({})));
    Ok(Changed::Done(row))
}

/// Why no deleted row has that id and revision.
async fn not_restored<E: Editable>(work: &Work<'_>, id: Uuid) -> Result<Changed<E>, Failure> {
    if work.find::<E>(id).await?.is_some() {
        return Err(Failure::user(ErrorCode::InvalidTransition, "id", "It is not deleted."));
    }
    let row = work.find_with_deleted(id).await?;
    row.map(Changed::Stale).ok_or_else(|| Failure::not_found("id"))
}

/// What only the database knows about drafts.
pub(crate) async fn complete<E: Editable>(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
    E::complete(work, drafts).await?;
    references::check::<E>(work, drafts).await
}

/// Inserts drafts in one statement, and publishes the events of that. The columns are those that
/// clients can give, and those that the entity's own rules have set.
pub(crate) async fn insert<E: Editable>(work: &Work<'_>, drafts: Vec<Draft>) -> Result<Vec<E>, Failure> {
    let mut columns: Vec<Written> =
        fields(entity::<E>()).filter_map(|(field, _)| field.shape.written()).collect();
    let rows: Vec<_> = drafts.into_iter().map(|draft| (draft.id(), draft.values())).collect();
    for (column, _) in rows.iter().flat_map(|(_, values)| values) {
        if !columns.contains(column) {
            columns.push(*column);
        }
    }
    let row = |(id, mut given): (Uuid, Vec<(Written, Value)>)| {
        let mut value = |column: &Written| {
            let place = given.iter().position(|(known, _)| known == column);
            place.map(|place| given.swap_remove(place).1)
        };
        (id, columns.iter().map(&mut value).collect())
    };
    let rows = rows.into_iter().map(row).collect();
    let insert = Insert { table: entity::<E>().rows(work.session()), columns, rows };
    let made = E::rows_in(work.tx(), Statement::Insert(insert)).await?;
    E::created(work, &made).await?;
    for row in &made {
        work.tx().publish(Event::new(E::PREFIX, "created", row.id(), json!({})));
    }
    Ok(made)
}

/// The errors of a failure that concerns one row of several; other failures end the mutation.
pub(crate) fn of_row(failure: Failure) -> Result<Vec<UserError>, Failure> {
    match failure {
        Failure::User(errors) => Ok(errors),
        other => Err(other),
    }
}
