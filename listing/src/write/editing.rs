//! Making and changing entities field by field: what every plain entity's mutations do.

use async_graphql::{InputType, Value as GraphQLValue};
use tenancy::{ErrorCode, Failure, Key, Scope, Tx, UserError};
use uuid::Uuid;

use crate::{
    Changed, Draft, Editable, ImportInput, MAX_ROWS, Made, Many, Statement, Value,
    csv::import::{CsvSheet, RowError},
    entity::plural,
    scalar::id::uuid_of,
    sql::change::{Insert, Update},
    updated,
    write::draft::fields,
    write::mutations::Object,
    write::references,
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
    let body = GraphQLValue::Object(given.clone()).to_string();
    Key::new(operation, key, body.as_bytes()).map(Some)
}

/// Adds an entity.
///
/// # Errors
/// FORBIDDEN; INVALID fields; NOT_FOUND for related entities that the organisation does not have.
pub(crate) async fn create<E: Editable>(scope: &Scope, given: GraphQLValue) -> Result<E, Failure> {
    scope.require(E::WRITE)?;
    let mut given = object(given);
    let key = key(&format!("create{}", E::NAME), &mut given)?;
    let draft = Draft::new::<E>(given);
    draft.accepted()?;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let mut drafts = [draft];
        complete::<E>(&tx, &mut drafts).await?;
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
    scope.require(E::WRITE)?;
    let mut given = object(given);
    let id = take::<String>(&mut given, "id")?.unwrap_or_default();
    let id = known_id::<E>(&id)?;
    let revision = take::<i32>(&mut given, "expectedRevision")?.unwrap_or_default();
    let draft = Draft::change::<E>(id, given);
    draft.accepted()?;
    scope
        .write(E::WRITE, |tx| async move {
            let mut drafts = [draft];
            complete::<E>(&tx, &mut drafts).await?;
            let [draft] = drafts;
            draft.accepted()?;
            let update = Update { table: E::TABLE, id, revision, changes: draft.values() };
            let row = E::rows_in(&tx, Statement::Update(update)).await?.pop();
            updated(&tx, id, row).await
        })
        .await
}

fn known_id<E: Editable>(text: &str) -> Result<Uuid, Failure> {
    let wrong = |message| Failure::user(ErrorCode::Invalid, "id", message);
    let (prefix, id) = uuid_of(text).map_err(wrong)?;
    if prefix == E::PREFIX {
        return Ok(id);
    }
    Err(wrong(format!("{text:?} is not the id of a {}: those start with {:?}.", E::NAME, E::PREFIX)))
}

/// Adds several entities.
///
/// # Errors
/// FORBIDDEN; LIMIT_REACHED for too many.
pub(crate) async fn create_many<E: Editable>(scope: &Scope, given: GraphQLValue) -> Result<Many<E>, Failure> {
    scope.require(E::WRITE)?;
    let mut given = object(given);
    let key = key(&format!("create{}", plural::<E>()), &mut given)?;
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
            GraphQLValue::Object(row) => drafts.push((number, Draft::new::<E>(row))),
            // One alone stands for a list, and the library does not look at what it is.
            _ => {
                let error = UserError::new(ErrorCode::Invalid, "", "This is not an object.");
                errors.push(RowError::of(number, None, error));
            }
        }
    }
    make::<E>(scope, key, drafts, errors, mode).await
}

/// The columns of a CSV that mean something.
pub(crate) fn csv_columns<E: Editable>() -> Vec<&'static str> {
    fields::<E>().map(|(field, _)| field.shape.name).chain(E::CSV_COLUMNS.iter().copied()).collect()
}

/// Reads a CSV and adds its entities: all of them, or none if a row is wrong, unless told to skip
/// those.
///
/// # Errors
/// FORBIDDEN; INVALID for what is no CSV; LIMIT_REACHED for too many rows.
pub async fn import<E: Editable>(scope: &Scope, input: ImportInput) -> Result<Many<E>, Failure> {
    scope.require(E::WRITE)?;
    let body = input.to_value().to_string();
    let operation = format!("import{}", plural::<E>());
    let key = input.idempotency_key.map(|key| Key::new(&operation, key, body.as_bytes())).transpose()?;
    let required = fields::<E>().filter(|(_, given)| matches!(given.need, crate::field::Need::Required));
    let required: Vec<_> = required.map(|(field, _)| field.shape.name).collect();
    let columns = input.columns.unwrap_or_default();
    let sheet = CsvSheet::read(&input.csv, &columns, &csv_columns::<E>(), &required)?;
    let drafts = sheet.rows.into_iter().map(|row| (row.number, Draft::from_csv::<E>(row))).collect();
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
    let (found, mut valid) = (&mut errors, None);
    let counted = &mut valid;
    let made = scope.write_once(E::WRITE, key, |tx| async move {
        let (numbers, mut drafts): (Vec<usize>, Vec<_>) = drafts.into_iter().unzip();
        complete::<E>(&tx, &mut drafts).await?;
        for (number, draft) in numbers.iter().zip(&drafts) {
            found
                .extend(draft.errors().iter().map(|error| RowError::of(*number, draft.csv(), error.clone())));
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
    // A repetition counts what the first one made.
    let valid = valid.unwrap_or(created.len());
    Ok(Many::new(created, valid, errors))
}

/// What only the database knows about drafts.
async fn complete<E: Editable>(tx: &Tx, drafts: &mut [Draft]) -> Result<(), Failure> {
    E::complete(tx, drafts).await?;
    references::check::<E>(tx, drafts).await
}

/// The drafts as rows, in one statement.
async fn insert<E: Editable>(tx: &Tx, drafts: Vec<Draft>) -> Result<Vec<E>, Failure> {
    let shapes: Vec<_> = fields::<E>().map(|(field, _)| field.shape).collect();
    let row = |draft: Draft| {
        let id = draft.id();
        let mut given = draft.values();
        let mut value = |column| {
            let place = given.iter().position(|(shape, _)| shape.column == column);
            place.map_or(Value::Null, |place| given.swap_remove(place).1)
        };
        (id, shapes.iter().map(|shape| value(shape.column)).collect())
    };
    let rows = drafts.into_iter().map(row).collect();
    let insert = Statement::Insert(Insert { table: E::TABLE, shapes: shapes.clone(), rows });
    E::rows_in(tx, insert).await
}
