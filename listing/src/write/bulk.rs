//! Changes of several rows in one transaction: create, update, delete, restore, import.

use std::collections::HashMap;

use async_graphql::{InputType, Value as GraphQLValue};
use tenancy::{ErrorCode, Failure, Key, Scope, UserError};

use crate::{
    csv::import::{CsvRow, CsvSheet, ImportInput, RowError},
    draft::Draft,
    field::Presence,
    limits::MAX_ROWS,
    typed::entity,
    write::{
        change::{self, Change, allowed, checked, complete, insert, of_row},
        editable::Editable,
        input::Input,
        many::Many,
        natural_key::{self, Known},
        payload::{self, Changed, Made},
        reading::{self, Object, fields},
        work::Work,
    },
};

/// How many rows are written, if not all are in order.
#[derive(Clone, Copy)]
struct Mode {
    dry_run: bool,
    skip_invalid: bool,
}

impl Mode {
    fn of(input: &mut Input) -> Result<Self, Failure> {
        Ok(Self {
            dry_run: input.take("dryRun")?.unwrap_or_default(),
            skip_invalid: input.take("skipInvalid")?.unwrap_or_default(),
        })
    }
}

/// Rows with their numbers in the input, and the errors of others.
type Numbered = (Vec<(usize, Object)>, Vec<RowError>);

/// The rows of an input, numbered from 1, and the errors of those that are no objects.
fn rows(input: &mut Input, name: &str) -> Result<Numbered, Failure> {
    let given = input.list(name);
    if given.len() > MAX_ROWS {
        let message = format!("This takes at most {MAX_ROWS} at once.");
        return Err(Failure::user(ErrorCode::LimitReached, name, message));
    }
    let (mut rows, mut errors) = (vec![], vec![]);
    for (number, row) in (1..).zip(given) {
        match row {
            GraphQLValue::Object(row) => rows.push((number, row)),
            // A single value is coerced to a list, and the library does not look at what it is.
            _ => {
                let error = UserError::new(ErrorCode::Invalid, "", "This is not an object.");
                errors.push(RowError::of(number, None, error));
            }
        }
    }
    Ok((rows, errors))
}

/// Adds several rows.
///
/// # Errors
/// FORBIDDEN; LIMIT_REACHED for too many.
pub(crate) async fn create<E: Editable>(
    scope: &Scope,
    operation: &str,
    mut input: Input,
) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    let key = input.key(operation)?;
    let mode = Mode::of(&mut input)?;
    let (rows, errors) = rows(&mut input, E::MANY)?;
    let draft = |(number, row)| (number, checked::<E>(reading::new_row(entity::<E>(), row)));
    make::<E>(scope, key, rows.into_iter().map(draft).collect(), errors, mode).await
}

fn draft_of_csv<E: Editable>(row: CsvRow) -> Draft {
    let (mut draft, mut checks) = reading::csv_row(entity::<E>(), &row);
    E::from_csv(&row, &mut draft, &mut checks);
    draft.csv = Some(row);
    checked::<E>((draft, checks))
}

/// The columns of a CSV that mean something.
pub(crate) fn csv_columns<E: Editable>() -> Vec<&'static str> {
    fields(entity::<E>()).map(|(field, _)| field.shape.name).chain(E::CSV_COLUMNS.iter().copied()).collect()
}

/// As [`import`], for a mutation.
pub(crate) async fn import_input<E: Editable>(
    scope: &Scope,
    operation: &str,
    mut input: Input,
) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    let key = input.key(operation)?;
    let input = ImportInput::parse(Some(GraphQLValue::Object(input.rest())));
    let input = input.map_err(|_| Failure::user(ErrorCode::Invalid, "", "This cannot be read."))?;
    import_keyed(scope, key, input).await
}

/// Reads a CSV and adds its rows: all of them, or none if one is wrong, unless told to skip those.
///
/// # Errors
/// FORBIDDEN; INVALID for what is no CSV; LIMIT_REACHED for too many rows.
pub async fn import<E: Editable>(scope: &Scope, input: ImportInput) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    import_keyed(scope, None, input).await
}

async fn import_keyed<E: Editable>(
    scope: &Scope,
    key: Option<Key>,
    input: ImportInput,
) -> Result<Many<E>, Failure> {
    let required = fields(entity::<E>()).filter(|(_, given)| matches!(given.presence, Presence::Required));
    let required: Vec<_> = required.map(|(field, _)| field.shape.name).collect();
    let columns = input.columns.unwrap_or_default();
    let sheet = CsvSheet::read(&input.csv, &columns, &csv_columns::<E>(), &required)?;
    let drafts = sheet.rows.into_iter().map(|row| (row.number, draft_of_csv::<E>(row))).collect();
    let mode = Mode { dry_run: input.dry_run, skip_invalid: input.skip_invalid };
    let mut many = make(scope, key, drafts, sheet.errors, mode).await?;
    many.ignored_columns = sheet.ignored;
    Ok(many)
}

/// Writes numbered drafts, all or none unless told otherwise.
async fn make<E: Editable>(
    scope: &Scope,
    key: Option<Key>,
    drafts: Vec<(usize, Draft)>,
    mut errors: Vec<RowError>,
    mode: Mode,
) -> Result<Many<E>, Failure> {
    let mistakes = |number: usize, draft: &Draft| {
        let of_row = |error: &UserError| RowError::of(number, draft.csv(), error.clone());
        draft.errors().iter().map(of_row).collect::<Vec<_>>()
    };
    // The errors of the input alone, for a repetition, which asks the database nothing.
    let of_input: Vec<_> = drafts.iter().flat_map(|(number, draft)| mistakes(*number, draft)).collect();
    let (found, mut counts) = (&mut errors, None);
    let counted = &mut counts;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let (new, changes) = known_again::<E>(&work, drafts, found).await?;
        let (numbers, mut new): (Vec<usize>, Vec<_>) = new.into_iter().unzip();
        complete::<E>(&work, &mut new).await?;
        for (number, draft) in numbers.iter().zip(&new) {
            found.extend(mistakes(*number, draft));
        }
        new.retain(|draft| draft.errors().is_empty());
        let created = new.len();
        let is_refused = !(found.is_empty() || mode.skip_invalid);
        if changes.is_empty() && (mode.dry_run || new.is_empty() || is_refused) {
            *counted = Some((created, created));
            return Err(NOTHING_WRITTEN);
        }
        let mut rows = if new.is_empty() { vec![] } else { insert(&work, new).await? };
        for (number, change) in changes {
            let csv = change.csv().cloned();
            let errors = match change.write(&work).await {
                Ok(Changed::Done(row)) => {
                    rows.push(row);
                    vec![]
                }
                Ok(Changed::Stale(_)) => vec![payload::stale()],
                Err(failure) => of_row(failure)?,
            };
            found.extend(errors.into_iter().map(|error| RowError::of(number, csv.as_ref(), error)));
            if tx.has_failed() {
                return Err(NOTHING_WRITTEN);
            }
        }
        *counted = Some((created, rows.len()));
        if mode.dry_run || rows.is_empty() || !(found.is_empty() || mode.skip_invalid) {
            return Err(NOTHING_WRITTEN);
        }
        Ok(Made(rows))
    });
    let rows = written(made.await)?;
    let (created, valid) = counts.unwrap_or_else(|| {
        errors.extend(of_input);
        (rows.len(), rows.len())
    });
    // Nothing at all was written by a dry run.
    let created = created.min(rows.len());
    let updated = rows.len() - created;
    Ok(Many { created, updated, ..Many::new(rows, valid, errors) })
}

/// Rows with their numbers in the input.
type NumberedChanges<E> = Vec<(usize, Change<E>)>;

/// Tells the rows of a CSV that are new from those that the organisation has already, by the natural
/// key.
async fn known_again<E: Editable>(
    work: &Work<'_>,
    drafts: Vec<(usize, Draft)>,
    errors: &mut Vec<RowError>,
) -> Result<(Vec<(usize, Draft)>, NumberedChanges<E>), Failure> {
    let Some(field) = E::NATURAL_KEY else { return Ok((drafts, vec![])) };
    let key = |draft: &Draft| draft.csv().and_then(|_| natural_key::key_of(draft, field));
    let keys: Vec<String> = drafts.iter().filter_map(|(_, draft)| key(draft)).collect();
    if keys.is_empty() {
        return Ok((drafts, vec![]));
    }
    let known = natural_key::known(work, entity::<E>(), field, keys).await?;
    let (mut new, mut changes, mut seen) = (vec![], vec![], HashMap::new());
    for (number, draft) in drafts {
        let Some(key) = key(&draft) else {
            new.push((number, draft));
            continue;
        };
        let mut wrong = |message: String| {
            let error = UserError::new(ErrorCode::AlreadyExists, field, message);
            errors.push(RowError::of(number, draft.csv(), error));
        };
        if let Some(first) = seen.insert(key.clone(), number) {
            wrong(format!("Row {first} has this key too."));
            continue;
        }
        match (known.get(&key), draft.csv.clone()) {
            (Some(Known::Seen { id, revision }), Some(row)) => {
                changes.push((number, Change::from_csv(*id, *revision, row)));
            }
            (Some(Known::Deleted), _) => wrong("The row with this key was deleted; restore it.".to_owned()),
            (Some(Known::Unseen), _) => wrong("This key is in use.".to_owned()),
            _ => new.push((number, draft)),
        }
    }
    Ok((new, changes))
}

/// A transaction that is to write nothing ends like one with a mistake, but without any: so it does not
/// use its idempotency key up.
const NOTHING_WRITTEN: Failure = Failure::User(vec![]);

fn written<E>(made: Result<Made<E>, Failure>) -> Result<Vec<E>, Failure> {
    match made {
        Err(Failure::User(none)) if none.is_empty() => Ok(vec![]),
        made => Ok(made?.0),
    }
}

/// A step for one of several rows that are there already.
pub(crate) enum Step {
    Update,
    Delete,
    Restore,
}

/// Changes, deletes or restores several rows, each with the revision that the client knows.
///
/// # Errors
/// FORBIDDEN; LIMIT_REACHED for too many.
pub(crate) async fn step<E: Editable>(
    scope: &Scope,
    operation: &str,
    mut input: Input,
    step: Step,
) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    let key = input.key(operation)?;
    let mode = Mode::of(&mut input)?;
    let (rows, mut errors) = rows(&mut input, E::MANY)?;
    let mut targets = vec![];
    for (number, row) in rows {
        let mut row = Input::from(GraphQLValue::Object(row));
        match row.id::<E>() {
            Ok(id) => targets.push((id, number, row.revision()?.unwrap_or_default(), row)),
            Err(failure) => errors.extend(numbered(number, of_row(failure)?)),
        }
    }
    // One order for all clients: two that change the same rows wait for each other, and do not lock up.
    targets.sort_by_key(|(id, ..)| *id);
    let (found, mut valid) = (&mut errors, None);
    let counted = &mut valid;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let mut changed = vec![];
        for (id, number, revision, row) in targets {
            let outcome = match step {
                Step::Update => match Change::<E>::read(id, revision, row) {
                    Ok(change) => change.write(&work).await,
                    Err(failure) => Err(failure),
                },
                Step::Delete => change::delete(&work, id, revision).await,
                Step::Restore => change::restore(&work, id, revision).await,
            };
            match outcome {
                Ok(Changed::Done(row)) => changed.push((number, row)),
                Ok(Changed::Stale(_)) => found.extend(numbered(number, vec![payload::stale()])),
                Err(failure) => found.extend(numbered(number, of_row(failure)?)),
            }
            // PostgreSQL ends a transaction with the first statement that fails.
            if tx.has_failed() {
                return Err(NOTHING_WRITTEN);
            }
        }
        *counted = Some(changed.len());
        if mode.dry_run || changed.is_empty() || !(found.is_empty() || mode.skip_invalid) {
            return Err(NOTHING_WRITTEN);
        }
        changed.sort_by_key(|(number, _)| *number);
        Ok(Made(changed.into_iter().map(|(_, row)| row).collect()))
    });
    let rows = written(made.await)?;
    let valid = valid.unwrap_or(rows.len());
    Ok(Many::new(rows, valid, errors))
}

fn numbered(number: usize, errors: Vec<UserError>) -> impl Iterator<Item = RowError> {
    errors.into_iter().map(move |error| RowError::of(number, None, error))
}
