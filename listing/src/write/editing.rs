//! Making and changing entities field by field: what every plain entity's mutations do.

use async_graphql::{InputType, Value as GraphQLValue};
use serde_json::json;
use tenancy::{ErrorCode, Event, Failure, Key, Scope, Tx, UserError};
use uuid::Uuid;

use crate::{
    checks::Checks,
    csv::import::{CsvRow, CsvSheet, ImportInput, RowError},
    draft::Draft,
    field::{Presence, Shape},
    limits::MAX_ROWS,
    scalar::id::GivenId,
    sql::{
        change::{Insert, Update},
        condition::Condition,
        statement::Statement,
    },
    typed::entity,
    value::Value,
    write::{
        editable::Editable,
        lifecycle::updated,
        many::Many,
        payload::{Changed, Create, CreateMany, Import, Made, mutation, mutation_of_many},
        reading::{self, Object, fields},
        references,
    },
};

/// The fields of an input; what is no object has been refused before.
fn object(given: GraphQLValue) -> Object {
    if let GraphQLValue::Object(object) = given { object } else { Object::new() }
}

/// Takes one field out of an input.
fn take<T: InputType>(given: &mut Object, name: &str) -> Result<Option<T>, Failure> {
    let value = given.swap_remove(name);
    Option::<T>::parse(value).map_err(|_| Failure::user(ErrorCode::Invalid, name, "This cannot be read."))
}

/// The key of a mutation that may be repeated safely, if its input carries one.
fn key(operation: &str, given: &mut Object) -> Result<Option<Key>, Failure> {
    let Some(key) = take::<String>(given, "idempotencyKey")? else { return Ok(None) };
    let body = sorted(GraphQLValue::Object(given.clone())).to_string();
    Key::new(operation, key, body.as_bytes()).map(Some)
}

/// The same input whatever the order its fields are given in.
fn sorted(given: GraphQLValue) -> GraphQLValue {
    match given {
        GraphQLValue::Object(mut object) => {
            object.sort_unstable_keys();
            GraphQLValue::Object(object.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        GraphQLValue::List(items) => GraphQLValue::List(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Passes if the session may change such entities, and read what their payloads answer.
fn allowed<E: Editable>(scope: &Scope) -> Result<(), Failure> {
    scope.require(E::WRITE)?;
    scope.require(E::READ)
}

/// Adds an entity.
///
/// # Errors
/// FORBIDDEN; INVALID fields; NOT_FOUND for related entities that the organisation does not have.
pub(crate) async fn create<E: Editable>(scope: &Scope, given: GraphQLValue) -> Result<E, Failure> {
    allowed::<E>(scope)?;
    let mut given = object(given);
    let key = key(&mutation::<Create, E>(), &mut given)?;
    let draft = checked::<E>(reading::new_row(entity::<E>(), given));
    draft.accepted()?;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let mut drafts = [draft];
        complete::<E>(scope, &tx, &mut drafts).await?;
        drafts.iter().try_for_each(Draft::accepted)?;
        insert(&tx, drafts.into()).await.map(Made)
    });
    made.await?.one()
}

/// Changes the given fields of an entity that nobody has changed meanwhile.
///
/// # Errors
/// FORBIDDEN; INVALID fields; NOT_FOUND for an unknown entity, or one that it is to be related to.
pub(crate) async fn update<E: Editable>(scope: &Scope, given: GraphQLValue) -> Result<Changed<E>, Failure> {
    allowed::<E>(scope)?;
    let mut given = object(given);
    let id = take::<GivenId<E>>(&mut given, "id")?.ok_or_else(|| Failure::not_found("id"))?.uuid("id")?;
    let revision = take::<i32>(&mut given, "expectedRevision")?.unwrap_or_default();
    let draft = checked::<E>(reading::change(entity::<E>(), id, given));
    draft.accepted()?;
    scope
        .write(E::WRITE, |tx| async move {
            let mut drafts = [draft];
            complete::<E>(scope, &tx, &mut drafts).await?;
            let [draft] = drafts;
            draft.accepted()?;
            let changes = draft.values();
            let names: Vec<&str> = changes.iter().map(|(shape, _)| shape.name).collect();
            let details = json!({ "changed": names });
            let conditions = vec![Condition::id(id), Condition::revision(revision)];
            let update = Update { table: entity::<E>().rows(), conditions, changes };
            let row = E::rows_in(&tx, Statement::Update(update)).await?.pop();
            if row.is_some() {
                tx.publish(Event::new(E::PREFIX, "updated", id, details));
            }
            updated(&tx, id, row).await
        })
        .await
}

/// Adds several entities.
///
/// # Errors
/// FORBIDDEN; LIMIT_REACHED for too many.
pub(crate) async fn create_many<E: Editable>(scope: &Scope, given: GraphQLValue) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    let mut given = object(given);
    let key = key(&mutation_of_many::<CreateMany, E>(), &mut given)?;
    let mode = Mode {
        dry_run: take(&mut given, "dryRun")?.unwrap_or_default(),
        skip_invalid: take(&mut given, "skipInvalid")?.unwrap_or_default(),
    };
    let rows = match given.swap_remove(E::MANY) {
        Some(GraphQLValue::List(rows)) => rows,
        Some(GraphQLValue::Null) | None => vec![],
        Some(one) => vec![one],
    };
    if rows.len() > MAX_ROWS {
        let message = format!("This takes at most {MAX_ROWS} at once.");
        return Err(Failure::user(ErrorCode::LimitReached, E::MANY, message));
    }
    let (mut drafts, mut errors) = (vec![], vec![]);
    for (number, row) in (1..).zip(rows) {
        match row {
            GraphQLValue::Object(row) => {
                drafts.push((number, checked::<E>(reading::new_row(entity::<E>(), row))))
            }
            // One alone stands for a list, and the library does not look at what it is.
            _ => {
                let error = UserError::new(ErrorCode::Invalid, "", "This is not an object.");
                errors.push(RowError::of(number, None, error));
            }
        }
    }
    make::<E>(scope, key, drafts, errors, mode).await
}

/// A draft that was read, and what the entity's own rules say of it.
fn checked<E: Editable>((mut draft, mut checks): (Draft, Checks)) -> Draft {
    E::check(&draft, &mut checks);
    draft.errors = checks.errors();
    draft
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

/// Reads a CSV and adds its entities: all of them, or none if a row is wrong, unless told to skip
/// those.
///
/// # Errors
/// FORBIDDEN; INVALID for what is no CSV; LIMIT_REACHED for too many rows.
pub async fn import<E: Editable>(scope: &Scope, input: ImportInput) -> Result<Many<E>, Failure> {
    allowed::<E>(scope)?;
    let body = sorted(input.to_value()).to_string();
    let operation = mutation_of_many::<Import, E>();
    let key = input.idempotency_key.map(|key| Key::new(&operation, key, body.as_bytes())).transpose()?;
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

/// How many are made, if not all are in order.
struct Mode {
    dry_run: bool,
    skip_invalid: bool,
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
    // What the input alone tells, for a repetition: what the database said it may no longer say.
    let told: Vec<_> = drafts.iter().flat_map(|(number, draft)| mistakes(*number, draft)).collect();
    let (found, mut valid) = (&mut errors, None);
    let counted = &mut valid;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let (numbers, mut drafts): (Vec<usize>, Vec<_>) = drafts.into_iter().unzip();
        complete::<E>(scope, &tx, &mut drafts).await?;
        for (number, draft) in numbers.iter().zip(&drafts) {
            found.extend(mistakes(*number, draft));
        }
        drafts.retain(|draft| draft.errors().is_empty());
        *counted = Some(drafts.len());
        if mode.dry_run || drafts.is_empty() || !(found.is_empty() || mode.skip_invalid) {
            // What writes nothing does not use its key up: it ends like a mistake, but without one.
            return Err(Failure::User(vec![]));
        }
        insert(&tx, drafts).await.map(Made)
    });
    let created = match made.await {
        Err(Failure::User(none)) if none.is_empty() => vec![],
        made => made?.0,
    };
    let valid = valid.unwrap_or_else(|| {
        errors.extend(told);
        created.len()
    });
    Ok(Many::new(created, valid, errors))
}

/// What only the database knows about drafts.
async fn complete<E: Editable>(scope: &Scope, tx: &Tx, drafts: &mut [Draft]) -> Result<(), Failure> {
    E::complete(tx, drafts).await?;
    references::check::<E>(scope, tx, drafts).await
}

/// The drafts as rows, in one statement, and the events of that. Their columns are those that clients can give, and what the
/// entity's own rules have set.
async fn insert<E: Editable>(tx: &Tx, drafts: Vec<Draft>) -> Result<Vec<E>, Failure> {
    let mut shapes: Vec<Shape> = fields(entity::<E>()).map(|(field, _)| field.shape).collect();
    let rows: Vec<_> = drafts.into_iter().map(|draft| (draft.id(), draft.values())).collect();
    for (shape, _) in rows.iter().flat_map(|(_, values)| values) {
        if !shapes.contains(shape) {
            shapes.push(*shape);
        }
    }
    let row = |(id, mut given): (Uuid, Vec<(Shape, Value)>)| {
        let mut value = |shape: &Shape| {
            let place = given.iter().position(|(known, _)| known == shape);
            place.map(|place| given.swap_remove(place).1)
        };
        (id, shapes.iter().map(&mut value).collect())
    };
    let rows = rows.into_iter().map(row).collect();
    let made =
        E::rows_in(tx, Statement::Insert(Insert { table: entity::<E>().rows(), shapes, rows })).await?;
    E::created(tx, &made).await?;
    for row in &made {
        tx.publish(Event::new(E::PREFIX, "created", row.id(), json!({})));
    }
    Ok(made)
}
