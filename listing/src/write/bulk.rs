//! Changes of several rows in one transaction: create, update, delete, restore, import.

use std::collections::{HashMap, HashSet};

use async_graphql::Value as GraphQLValue;
use tenancy::{ErrorCode, Failure, Key, Scope, UserError};
use uuid::Uuid;

use crate::{
    csv::{
        self,
        import::{CsvRow, CsvSheet, ImportInput, RowError},
    },
    draft::Draft,
    field::Presence,
    limits::{MAX_ROWS, MAX_TAKEN},
    typed::entity,
    write::{
        change::{self, Change, allowed, checked, complete, insert, of_row},
        editable::Editable,
        input::Input,
        many::{Counts, Many},
        natural_key::{self, Known},
        payload::{self, Changed},
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

/// Rows with their places in the input, and the errors of others.
type Placed = (Vec<(usize, Object)>, Vec<RowError>);

/// The rows of an input, counted from 0, and the errors of those that are no objects.
fn rows(input: &mut Input, name: &str) -> Result<Placed, Failure> {
    let given = input.list(name);
    if given.len() > MAX_ROWS {
        let message = format!("This takes at most {MAX_ROWS} at once.");
        return Err(Failure::user(ErrorCode::LimitReached, name, message));
    }
    let (mut rows, mut errors) = (vec![], vec![]);
    for (index, row) in given.into_iter().enumerate() {
        match row {
            GraphQLValue::Object(row) => rows.push((index, row)),
            // A single value is coerced to a list, and the library does not look at what it is.
            _ => {
                let error = UserError::new(ErrorCode::Invalid, "", "This is not an object.");
                errors.push(RowError::of(index, None, error));
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
    let draft = |(index, row)| (index, checked::<E>(reading::new_row(entity::<E>(), row)));
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
    import_keyed(scope, key, csv::input::read(input, &csv_columns::<E>())?).await
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
    let required = fields(entity::<E>())
        .filter(|(_, given)| matches!(given.presence, Presence::Required) && given.in_csv.is_none());
    let required: Vec<_> = required.map(|(field, _)| field.shape.name).collect();
    let sheet = CsvSheet::read(&input, &csv_columns::<E>(), &required)?;
    let drafts = sheet.rows.into_iter().map(|row| (row.index, draft_of_csv::<E>(row))).collect();
    let mode = Mode { dry_run: input.dry_run, skip_invalid: input.skip_invalid };
    let mut many = make(scope, key, drafts, sheet.errors, mode).await?;
    many.ignored_columns = sheet.ignored;
    Ok(many)
}

/// Several rows while they are being written, under their places in the input.
struct Rows<E> {
    written: Vec<(usize, E)>,
    created: usize,
    errors: Vec<RowError>,
    /// How many have a key that is in use.
    taken: usize,
}

impl<E: Editable> Rows<E> {
    fn new(errors: Vec<RowError>) -> Self {
        Self { written: vec![], created: 0, errors, taken: 0 }
    }

    /// Another row has a key that is in use.
    fn take(&mut self, work: &Work<'_>) -> Result<(), Failure> {
        self.taken += 1;
        if self.taken > MAX_TAKEN && !entity::<E>().shows_all(work.session()) {
            let message = format!("More than {MAX_TAKEN} rows have a key that is in use.");
            return Err(Failure::user(ErrorCode::LimitReached, "", message));
        }
        Ok(())
    }

    /// What a step refused.
    fn refused(
        &mut self,
        work: &Work<'_>,
        index: usize,
        csv: Option<&CsvRow>,
        failure: Failure,
    ) -> Result<(), Failure> {
        let errors = of_row(failure)?;
        if errors.iter().any(|error| error.code == ErrorCode::AlreadyExists) {
            self.take(work)?;
        }
        self.wrong(index, csv, errors);
        Ok(())
    }

    fn wrong(&mut self, index: usize, csv: Option<&CsvRow>, errors: impl IntoIterator<Item = UserError>) {
        self.errors.extend(errors.into_iter().map(|error| RowError::of(index, csv, error)));
    }

    /// Adds rows: in one statement, and one by one if that is refused, so that the refusal has a place.
    async fn insert(&mut self, work: &Work<'_>, drafts: Vec<(usize, Draft)>) -> Result<(), Failure> {
        let mut sound = vec![];
        for (index, draft) in drafts {
            self.wrong(index, draft.csv(), draft.errors().to_vec());
            if draft.is_sound() {
                sound.push((index, draft));
            }
        }
        if sound.is_empty() {
            return Ok(());
        }
        let (places, drafts): (Vec<usize>, Vec<_>) = sound.iter().cloned().unzip();
        match work.tx().step(insert(work, drafts)).await {
            Ok(rows) => self.written.extend(places.into_iter().zip(rows)),
            Err(failure) => {
                of_row(failure)?;
                for (index, draft) in referred_first(sound) {
                    let csv = draft.csv.clone();
                    match work.tx().step(insert(work, vec![draft])).await {
                        Ok(rows) => self.written.extend(rows.into_iter().map(|row| (index, row))),
                        Err(failure) => self.refused(work, index, csv.as_ref(), failure)?,
                    }
                }
            }
        }
        self.created = self.written.len();
        Ok(())
    }

    /// Carries out the change of one row.
    async fn change(
        &mut self,
        work: &Work<'_>,
        index: usize,
        csv: Option<&CsvRow>,
        change: impl Future<Output = Result<Changed<E>, Failure>>,
    ) -> Result<(), Failure> {
        match work.tx().step(change).await {
            Ok(Changed::Done(row)) => self.written.push((index, row)),
            Ok(Changed::Stale(_)) => self.wrong(index, csv, [payload::stale()]),
            Err(failure) => self.refused(work, index, csv, failure)?,
        }
        Ok(())
    }

    /// What became of them. Nothing is written by a dry run, nor where some are wrong that are not to be
    /// skipped.
    fn end(mut self, work: &Work<'_>, mode: Mode) -> Many<E> {
        let valid = self.written.len();
        if mode.dry_run || valid == 0 || !(self.errors.is_empty() || mode.skip_invalid) {
            work.tx().discard();
            (self.written, self.created) = (vec![], 0);
        }
        self.written.sort_by_key(|(index, _)| *index);
        let changed = self.written.len() - self.created;
        let written = self.written.into_iter().map(|(_, row)| row).collect();
        Many::new(written, Counts { created: self.created, changed, valid }, self.errors)
    }
}

/// Drafts in an order in which each stands behind those among them that it refers to, as far as there is
/// one.
fn referred_first(mut drafts: Vec<(usize, Draft)>) -> Vec<(usize, Draft)> {
    let mut ordered = Vec::with_capacity(drafts.len());
    while !drafts.is_empty() {
        let waiting: HashSet<Uuid> = drafts.iter().map(|(_, draft)| draft.id()).collect();
        let is_free = |(_, draft): &(usize, Draft)| {
            draft.references().all(|id| id == draft.id() || !waiting.contains(&id))
        };
        let (free, bound): (Vec<_>, Vec<_>) = drafts.into_iter().partition(is_free);
        if free.is_empty() {
            ordered.extend(bound);
            break;
        }
        ordered.extend(free);
        drafts = bound;
    }
    ordered
}

/// Writes drafts by their places, all or none unless told otherwise.
async fn make<E: Editable>(
    scope: &Scope,
    key: Option<Key>,
    drafts: Vec<(usize, Draft)>,
    errors: Vec<RowError>,
    mode: Mode,
) -> Result<Many<E>, Failure> {
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let mut rows = Rows::new(errors);
        let (new, mut changes) = known_again::<E>(&work, drafts, &mut rows).await?;
        let (places, mut new): (Vec<usize>, Vec<_>) = new.into_iter().unzip();
        complete::<E>(&work, &mut new).await?;
        rows.insert(&work, places.into_iter().zip(new).collect()).await?;
        // One order for all clients: two that change the same rows wait for each other, and do not
        // lock up.
        changes.sort_by_key(|(_, change)| change.id());
        for (index, change) in changes {
            let csv = change.csv().cloned();
            rows.change(&work, index, csv.as_ref(), change.write(&work)).await?;
        }
        Ok(rows.end(&work, mode))
    });
    made.await
}

/// Rows with their places in the input.
type PlacedChanges<E> = Vec<(usize, Change<E>)>;

/// Tells the rows of a CSV that are new from those that the organisation has already, by the natural
/// key.
async fn known_again<E: Editable>(
    work: &Work<'_>,
    drafts: Vec<(usize, Draft)>,
    rows: &mut Rows<E>,
) -> Result<(Vec<(usize, Draft)>, PlacedChanges<E>), Failure> {
    let Some(field) = E::NATURAL_KEY else { return Ok((drafts, vec![])) };
    let key = |draft: &Draft| draft.csv().and_then(|_| natural_key::key_of(draft, field));
    let keys: Vec<String> = drafts.iter().filter_map(|(_, draft)| key(draft)).collect();
    if keys.is_empty() {
        return Ok((drafts, vec![]));
    }
    let mut known = natural_key::known(work, entity::<E>(), field, keys).await?;
    let (mut new, mut changes, mut seen) = (vec![], vec![], HashMap::new());
    for (index, draft) in drafts {
        let Some(key) = key(&draft) else {
            new.push((index, draft));
            continue;
        };
        let mut wrong = |message: String| {
            rows.wrong(index, draft.csv(), [UserError::new(ErrorCode::AlreadyExists, field, message)]);
        };
        let line = draft.csv().map_or(0, |row| row.line);
        if let Some(first) = seen.insert(key.clone(), line) {
            wrong(format!("Line {first} has this key too."));
            continue;
        }
        match (known.remove(&key), draft.csv.clone()) {
            (Some(Known::Seen { id, revision, current }), Some(row)) => {
                changes.push((index, Change::from_csv(id, revision, current, row)));
            }
            (Some(Known::Deleted), _) => wrong("The row with this key was deleted; restore it.".to_owned()),
            (Some(Known::Unseen), _) => {
                wrong("This key is in use.".to_owned());
                rows.take(work)?;
            }
            _ => new.push((index, draft)),
        }
    }
    Ok((new, changes))
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
    for (index, row) in rows {
        let mut row = Input::from(GraphQLValue::Object(row));
        match row.id::<E>() {
            Ok(id) => targets.push((id, index, row.revision()?.unwrap_or_default(), row)),
            Err(failure) => {
                let wrong = of_row(failure)?;
                errors.extend(wrong.into_iter().map(|error| RowError::of(index, None, error)));
            }
        }
    }
    // As in `make`: one order for all clients.
    targets.sort_by_key(|(id, ..)| *id);
    let stepped = scope.write_once(E::WRITE, key, |tx| async move {
        let work = Work::new(scope, &tx);
        let mut rows = Rows::new(errors);
        for (id, index, revision, row) in targets {
            let change = async {
                match step {
                    Step::Update => Change::<E>::read(id, revision, row)?.write(&work).await,
                    Step::Delete => change::delete(&work, id, revision).await,
                    Step::Restore => change::restore(&work, id, revision).await,
                }
            };
            rows.change(&work, index, None, change).await?;
        }
        Ok(rows.end(&work, mode))
    });
    stepped.await
}
