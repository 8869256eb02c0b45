//! Rows by a key of their own, such as the id that they have in the system that they come from: so that
//! an import that is repeated changes what it made before.

use std::collections::HashMap;

use tenancy::Failure;
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    draft::Draft,
    sql::{
        column::Column,
        condition::{Condition, Term},
        list::List,
        select::Select,
        values::values_in,
    },
    value::Value,
    write::work::{Stored, Work},
};

/// What is known of the row that has a key.
pub(crate) enum Known {
    /// The session sees it, in this revision and with these values.
    Seen { id: Uuid, revision: i32, current: Stored },
    /// The session sees that it was deleted.
    Deleted,
    /// The session does not see it.
    Unseen,
}

/// The key of a draft.
pub(crate) fn key_of(draft: &Draft, field: &str) -> Option<String> {
    draft.values.iter().find_map(|(known, value)| match value {
        Value::Text(key) if known.shape.name == field => Some(key.clone()),
        _ => None,
    })
}

/// Which of these keys rows of the organisation have, deleted ones and such as the session does not see
/// included. The statements are the same whatever is found.
pub(crate) async fn known(
    work: &Work<'_>,
    entity: &'static AnyEntity,
    field: &str,
    keys: Vec<String>,
) -> Result<HashMap<String, Known>, Failure> {
    let column = |name| entity.column(work.session(), name);
    let Some((key, revision)) = column(field).zip(column("revision")) else { return Ok(HashMap::new()) };
    let deleted = column("deletedAt").unwrap_or_else(|| revision.clone());
    let has_deleted = deleted.name == "deletedAt";
    let keyed = Condition::OneOf(Term::Column(key.alias()), List::Texts(keys));
    let columns = vec![Column::id(entity.prefix), key, revision, deleted];
    let select = Select { filter: vec![keyed], ..Select::by_id(entity.all_rows(), columns, vec![]) };
    let rows = values_in(work.tx(), select).await?;
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.id(0)).collect();
    // Should a row change between the two statements, its revision is the older one, and the change stale.
    let mut seen = work.values(entity, ids).await?;
    let mut known = HashMap::new();
    for row in &rows {
        let (Value::Text(key), Value::Integer(revision)) = (row.at(1), row.at(2)) else { continue };
        let Some(id) = row.id(0) else { continue };
        let is_deleted = has_deleted && *row.at(3) != Value::Null;
        let what = match seen.remove(&id) {
            None => Known::Unseen,
            Some(_) if is_deleted => Known::Deleted,
            Some(current) => Known::Seen { id, revision: *revision, current },
        };
        known.insert(key.clone(), what);
    }
    Ok(known)
}
