//! What a client asks of rows, compiled before they are read: which columns and related rows a
//! statement must bring, and how each field of the answer is made of them. So a list costs no more
//! than it shows, and its rows no future of their own.

mod branch;
mod connection;

use std::collections::HashMap;

use async_graphql::{Context, Positioned, Value as GraphQLValue, parser::types::Selection};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::ready, stream};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use self::branch::{Branch, Many};
pub(crate) use self::{
    branch::One,
    connection::{ConnectionPlan, Sheet},
};
use crate::{
    any::{AnyEntity, Way},
    kind::Kind,
    read::{
        json::{Json, Key},
        selection::SelectedField,
    },
    sql::{
        column::Column,
        condition::Term,
        order::{self, Via},
        select::Join,
        values::Values,
    },
    value::Value,
};

/// How many branches of one list are read at the same time: each takes a connection.
const MAX_BRANCHES_AT_ONCE: usize = 4;

/// What a statement must bring for all that is asked of its rows.
pub(crate) struct Layout {
    /// Columns of the rows; the id comes first.
    pub(crate) columns: Vec<Column>,
    pub(crate) joins: Vec<Join>,
    /// What is read in further statements, by the ids at these places.
    branches: Vec<(usize, Box<dyn Branch>)>,
}

/// How each field of an object is made, in the order of the document.
pub(crate) struct Steps(Vec<(Key, Step)>);

enum Step {
    /// A constant: the name of a type.
    Fixed(&'static str),
    /// The value of a column.
    Own(usize, Kind),
    /// A list of parts, each an object of these.
    Parts(usize, Vec<(Key, String)>),
    /// A related row that was read with this one.
    Joined(usize, Vec<(Key, Part)>),
    /// What a branch found for the row.
    Branch(usize),
    /// What the entity's own resolver answers, by the field's number among those.
    Other(usize),
}

/// How a field of a joined row is made.
enum Part {
    Fixed(&'static str),
    Own(usize, Kind),
}

/// What the branches of a layout found: for each of them, by id.
#[derive(Default)]
pub(crate) struct Found(Vec<HashMap<Uuid, Json>>);

/// What the entity's own resolvers answered for a row, field by field; nothing for what failed, which
/// has been noted.
type Resolved = [Option<GraphQLValue>];

impl Layout {
    /// A layout that brings the id and what the order needs.
    pub(crate) fn new(entity: &'static AnyEntity, order: &[order::Key]) -> Self {
        let id = Column::id(entity.prefix);
        let mut layout = Self { columns: vec![id], joins: vec![], branches: vec![] };
        for key in order.iter().filter(|key| key.via.is_none()) {
            layout.column(key.column.clone());
        }
        layout
    }

    /// The place of a column.
    pub(crate) fn column(&mut self, column: Column) -> usize {
        let place = self.columns.iter().position(|known| known.term == column.term);
        place.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// The number of a join, and the place of a column in it.
    pub(crate) fn join(&mut self, via: &Via, column: Option<Column>) -> (usize, usize) {
        // The page is joined by its own columns.
        let ours = Term::Column(via.path.ours);
        self.column(Column { name: via.relation, kind: Kind::Id(""), nullable: true, term: ours });
        let number = self.joins.iter().position(|join| join.via == *via).unwrap_or_else(|| {
            self.joins.push(Join { via: via.clone(), columns: vec![] });
            self.joins.len() - 1
        });
        let mut place = 0;
        if let (Some(join), Some(column)) = (self.joins.get_mut(number), column) {
            place = join.columns.iter().position(|known| known.term == column.term).unwrap_or_else(|| {
                join.columns.push(column);
                join.columns.len() - 1
            });
        }
        (number, place)
    }

    /// Where a join's values begin in a row: behind the columns and the keys that are not its own.
    pub(crate) fn start(&self, join: usize, order: &[order::Key]) -> usize {
        let keys = order.iter().filter(|key| key.via.is_some()).count();
        let before: usize = self.joins.iter().take(join).map(|join| 1 + join.columns.len()).sum();
        self.columns.len() + keys + before
    }

    /// Reads what the branches bring, each in one statement for all rows.
    pub(crate) async fn branch_out(&self, scope: &Scope, rows: &[Values]) -> Result<Found, Failure> {
        let mut loads = Vec::with_capacity(self.branches.len());
        for (place, branch) in &self.branches {
            let mut ids: Vec<Uuid> = rows.iter().filter_map(|row| row.id(*place)).collect();
            ids.sort_unstable();
            ids.dedup();
            if !ids.is_empty() {
                loads.push(branch.load(scope, ids));
            } else {
                loads.push(ready(Ok(HashMap::new())).boxed());
            }
        }
        stream::iter(loads).buffered(MAX_BRANCHES_AT_ONCE).try_collect().await.map(Found)
    }
}

impl Steps {
    /// Compiles what is asked of rows of an entity. What only the entity's own resolvers know is
    /// added to `others`.
    pub(crate) fn of<'a>(
        ctx: &Context<'a>,
        scope: &Scope,
        entity: &'static AnyEntity,
        asked: Vec<SelectedField<'a>>,
        layout: &mut Layout,
        others: &mut Vec<SelectedField<'a>>,
    ) -> Self {
        let compile = |field: SelectedField<'a>| {
            let key = field.key();
            let step = Step::of(ctx, scope, entity, &field, layout).unwrap_or_else(|| {
                others.push(field);
                Step::Other(others.len() - 1)
            });
            (key, step)
        };
        Self(asked.into_iter().map(compile).collect())
    }

    /// Writes the row as an object.
    pub(crate) fn write(
        &self,
        json: &mut Json,
        layout: &Layout,
        order: &[order::Key],
        row: &Values,
        found: &Found,
        others: &Resolved,
    ) {
        json.object(&self.0, |json, step| match step {
            Step::Fixed(name) => json.plain(name),
            Step::Own(place, kind) => json.value(*kind, row.at(*place)),
            Step::Parts(place, parts) => write_parts(json, row.at(*place), parts),
            Step::Joined(join, parts) => write_joined(json, row, layout.start(*join, order), parts),
            Step::Branch(number) => layout.write_found(json, *number, row, found),
            Step::Other(number) => match others.get(*number).and_then(Option::as_ref) {
                Some(value) => json.answered(value),
                None => json.null(),
            },
        });
    }
}

impl Layout {
    fn write_found(&self, json: &mut Json, number: usize, row: &Values, found: &Found) {
        let Some((place, branch)) = self.branches.get(number) else { return json.null() };
        let by_id = found.0.get(number);
        match row.id(*place).and_then(|id| by_id?.get(&id)) {
            Some(own) => json.written(own),
            None => branch.write_none(json),
        }
    }
}

impl Step {
    /// How a field is made; nothing for what only a resolver knows.
    fn of(
        ctx: &Context<'_>,
        scope: &Scope,
        entity: &'static AnyEntity,
        asked: &SelectedField<'_>,
        layout: &mut Layout,
    ) -> Option<Self> {
        let name = asked.name();
        if name == "__typename" {
            return Some(Self::Fixed(entity.name));
        }
        if let Some(column) = allowed(scope, entity, name) {
            return match column.kind {
                Kind::Parts(_) => {
                    let parts = parts(ctx, asked)?;
                    Some(Self::Parts(layout.column(column), parts))
                }
                kind => Some(Self::Own(layout.column(column), kind)),
            };
        }
        let relation = entity.relation(name)?;
        // Who may not read the others is told so by the resolver.
        relation.target.require(scope).ok()?;
        match relation.way {
            Way::One { column } => {
                let via = relation.via(scope.session())?;
                if let Some(step) = Self::joined(ctx, scope, asked, &via, relation.target, layout) {
                    return Some(step);
                }
                let branch = One::of(ctx, scope, relation.target, asked)?;
                let place = layout.column(relation.id_column(column));
                Some(layout.branch(place, Box::new(branch)))
            }
            Way::Many { link } => {
                let branch = Many::of(ctx, scope, relation.target, link, asked)?;
                Some(layout.branch(0, Box::new(branch)))
            }
        }
    }

    /// A relation of which nothing but plain fields is asked.
    fn joined(
        ctx: &Context<'_>,
        scope: &Scope,
        asked: &SelectedField<'_>,
        via: &Via,
        target: &'static AnyEntity,
        layout: &mut Layout,
    ) -> Option<Self> {
        let column = |field: &SelectedField<'_>| {
            let name = field.name();
            let column = if name == "__typename" { None } else { Some(allowed(scope, target, name)?) };
            let is_leaf = column.as_ref().is_none_or(|column| column.kind.is_leaf());
            is_leaf.then(|| (field.key(), column))
        };
        let wanted = asked.fields(ctx, target.name);
        let columns: Vec<(Key, Option<Column>)> = wanted.iter().map(column).collect::<Option<_>>()?;
        let (number, _) = layout.join(via, None);
        let part = |(key, column): (Key, Option<Column>)| match column {
            Some(column) => {
                let kind = column.kind;
                (key, Part::Own(layout.join(via, Some(column)).1, kind))
            }
            None => (key, Part::Fixed(target.name)),
        };
        let parts = columns.into_iter().map(part).collect();
        Some(Self::Joined(number, parts))
    }
}

impl Layout {
    fn branch(&mut self, place: usize, branch: Box<dyn Branch>) -> Step {
        self.branches.push((place, branch));
        Step::Branch(self.branches.len() - 1)
    }
}

/// The field of that name as the session may see it; nothing for what counts rows that it may not read,
/// which the resolver says.
fn allowed(scope: &Scope, entity: &'static AnyEntity, name: &str) -> Option<Column> {
    if let Some(counted) = entity.counts(entity.field(name)?) {
        counted.require(scope).ok()?;
    }
    entity.column(scope.session(), name)
}

/// The keys under which fields of parts are answered, and the fields' names; nothing where a fragment
/// or `__typename` speaks of the parts' type, which the row does not know.
fn parts(ctx: &Context<'_>, asked: &SelectedField<'_>) -> Option<Vec<(Key, String)>> {
    let is_plain = |selection: &Positioned<Selection>| match &selection.node {
        // What a part has below, only its own type can answer.
        Selection::Field(field) => {
            field.node.name.node != "__typename" && field.node.selection_set.node.items.is_empty()
        }
        _ => false,
    };
    let plain = asked.places().all(|place| place.node.selection_set.node.items.iter().all(is_plain));
    let part = |field: SelectedField<'_>| (field.key(), field.name().to_owned());
    plain.then(|| asked.fields(ctx, "").into_iter().map(part).collect())
}

fn write_parts(json: &mut Json, value: &Value, parts: &[(Key, String)]) {
    let list = match value {
        Value::Json(serde_json::Value::Array(list)) => list.as_slice(),
        _ => &[],
    };
    json.list(list, |json, part| json.object(parts, |json, name| json.plain(part.get(name))));
}

/// A joined row; null if there is none, which its id tells.
fn write_joined(json: &mut Json, row: &Values, start: usize, parts: &[(Key, Part)]) {
    if row.id(start).is_none() {
        return json.null();
    }
    json.object(parts, |json, part| match part {
        Part::Fixed(name) => json.plain(name),
        Part::Own(place, kind) => json.value(*kind, row.at(start + 1 + place)),
    });
}
