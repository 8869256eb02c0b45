//! Whether what drafts refer to is there.

use std::collections::{HashMap, HashSet};

use diesel::QueryResult;
use tenancy::{ErrorCode, Failure};
use uuid::Uuid;

use crate::{
    any::Way,
    draft::Draft,
    sql::{
        condition::{Comparison, Condition, Table, Term},
        render::{Out, name},
        values::{Render, Values, values_in},
    },
    typed::entity,
    value::Value,
    write::{editable::Editable, work::Work},
};

/// The ids among these that are there.
struct Present {
    table: Table,
    conditions: Vec<Condition>,
}

impl Render for Present {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        name(self.table.name(), "id", &mut out)?;
        self.table.from(|_| Ok(()), self.conditions.iter(), &mut out).map(drop)
    }
}

/// Says NOT_FOUND at every field of a draft that names what is not there, is deleted, or is not what
/// the relation is to. The database would only refuse what was never there.
pub(crate) async fn check<E: Editable>(work: &Work<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
    for relation in entity::<E>().relations() {
        let Way::One { column } = relation.way else { continue };
        // What is made by the same mutation is not there yet.
        let made: HashSet<Uuid> = drafts.iter().filter(|draft| draft.is_sound()).map(Draft::id).collect();
        let wanted: HashMap<usize, (&'static str, Uuid)> = drafts
            .iter()
            .enumerate()
            .filter_map(|(at, draft)| Some((at, draft.reference(column)?)))
            // An id of its own is not one that the mutation makes: nothing belongs to itself unseen.
            .filter(|(at, (_, id))| !made.contains(id) || drafts.get(*at).is_some_and(|own| own.id() == *id))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        // Whether an id is there is something to read.
        relation.target.require(work.scope())?;
        let ids = wanted.values().map(|(_, id)| *id).collect();
        let mut conditions = vec![Condition::ids(ids)];
        if let Some((column, value)) = relation.refers_only_to {
            conditions.push(Condition::Is(Term::Column(column), Comparison::Eq, value.into()));
        }
        let present: Vec<Values> =
            values_in(work.tx(), Present { table: relation.target.rows(work.session()), conditions }).await?;
        let present: HashSet<Value> = present.into_iter().flat_map(|row| row.0).collect();
        for (at, (field, id)) in wanted {
            let Some(draft) = drafts.get_mut(at).filter(|_| !present.contains(&Value::Uuid(id))) else {
                continue;
            };
            let may_know = relation.target.shows_all(work.session());
            if !may_know || draft.is_new() || !refers_already::<E>(work, draft.id(), column, id).await? {
                draft.wrong(ErrorCode::NotFound, field, "Nothing has this id.");
            }
        }
    }
    Ok(())
}

/// Whether a row holds this id already: what refers to a row that was deleted since may be saved again.
/// Only for who sees all rows that may be meant: to others it would tell of one.
async fn refers_already<E: Editable>(
    work: &Work<'_>,
    row: Uuid,
    column: &'static str,
    id: Uuid,
) -> Result<bool, Failure> {
    let conditions =
        vec![Condition::id(row), Condition::Is(Term::Column(column), Comparison::Eq, Value::Uuid(id))];
    let present = Present { table: entity::<E>().rows(work.session()), conditions };
    Ok(!values_in(work.tx(), present).await?.is_empty())
}
