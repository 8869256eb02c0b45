//! What a client asks of rows, compiled before they are read: which columns and related rows a
//! statement must bring, and how each field of the answer is made of them. So a list costs no more
//! than it shows, and its rows no future of their own.

use std::collections::HashMap;

use async_graphql::{
    Context, Name, Positioned, Value as GraphQLValue,
    indexmap::IndexMap,
    parser::types::{Field as Asked, Selection},
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::ready, stream};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    AnyEntity, Kind, Value,
    any::AnyWay,
    field::Shape,
    read::{
        branch::{Branch, Many, One},
        order::{Key, Via},
        selection::fields,
    },
    sql::{select::Join, values::Values},
};

/// How many branches of one list are read at the same time: each takes a connection.
const MAX_BRANCHES_AT_ONCE: usize = 4;

/// An object of an answer.
pub(crate) type Object = IndexMap<Name, GraphQLValue>;

/// What a statement must bring for all that is asked of its rows.
pub(crate) struct Layout {
    /// Columns of the rows; the id comes first.
    pub(crate) columns: Vec<Shape>,
    pub(crate) joins: Vec<Join>,
    /// What is read in further statements, by the ids at these places.
    branches: Vec<(usize, Box<dyn Branch>)>,
}

/// How each field of an object is made, in the order of the document.
pub(crate) struct Steps(Vec<(Name, Step)>);

enum Step {
    /// A constant: the name of a type.
    Fixed(&'static str),
    /// The value of a column.
    Own(usize, Kind),
    /// A list of parts, each an object of these.
    Parts(usize, Vec<(Name, Name)>),
    /// A related row that was read with this one.
    Joined(usize, Vec<(Name, Part)>),
    /// What a branch found for the row.
    Branch(usize),
    /// What the entity's own resolver answers.
    Other,
}

/// How a field of a joined row is made.
enum Part {
    Fixed(&'static str),
    Own(usize, Kind),
}

/// What the branches of a layout found: for each of them, by id.
#[derive(Default)]
pub(crate) struct Found(Vec<HashMap<Uuid, GraphQLValue>>);

impl Layout {
    /// A layout that brings the id and what the order needs.
    pub(crate) fn new(entity: AnyEntity, order: &[Key]) -> Self {
        let id = Shape { name: "id", column: "id", kind: Kind::Id(entity.prefix), nullable: false };
        let mut layout = Self { columns: vec![id], joins: vec![], branches: vec![] };
        for key in order.iter().filter(|key| key.via.is_none()) {
            layout.column(key.shape);
        }
        layout
    }

    /// The place of a column.
    pub(crate) fn column(&mut self, shape: Shape) -> usize {
        let place = self.columns.iter().position(|known| known.column == shape.column);
        place.unwrap_or_else(|| {
            self.columns.push(shape);
            self.columns.len() - 1
        })
    }

    /// The number of a join, and the place of a column in it.
    pub(crate) fn join(&mut self, via: Via, shape: Option<Shape>) -> (usize, usize) {
        // The page is joined by its own columns.
        self.column(Shape { name: via.relation, column: via.path.ours, kind: Kind::Id(""), nullable: true });
        let number = self.joins.iter().position(|join| join.via == via).unwrap_or_else(|| {
            self.joins.push(Join { via, shapes: vec![] });
            self.joins.len() - 1
        });
        let mut place = 0;
        if let (Some(join), Some(shape)) = (self.joins.get_mut(number), shape) {
            place = join.shapes.iter().position(|known| known.column == shape.column).unwrap_or_else(|| {
                join.shapes.push(shape);
                join.shapes.len() - 1
            });
        }
        (number, place)
    }

    /// Where a join's values begin in a row: behind the columns and the keys that are not its own.
    pub(crate) fn start(&self, join: usize, order: &[Key]) -> usize {
        let keys = order.iter().filter(|key| key.via.is_some()).count();
        let before: usize = self.joins.iter().take(join).map(|join| 1 + join.shapes.len()).sum();
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
        entity: AnyEntity,
        asked: &[&'a Positioned<Asked>],
        layout: &mut Layout,
        others: &mut Vec<&'a Positioned<Asked>>,
    ) -> Self {
        let compile = |field: &&'a Positioned<Asked>| {
            let step = Step::of(ctx, scope, entity, field, layout).unwrap_or_else(|| {
                others.push(field);
                Step::Other
            });
            (field.node.response_key().node.clone(), step)
        };
        Self(asked.iter().map(compile).collect())
    }

    /// The row as an object.
    pub(crate) fn object(
        &self,
        layout: &Layout,
        order: &[Key],
        row: &Values,
        found: &Found,
        mut others: impl Iterator<Item = Option<GraphQLValue>>,
    ) -> GraphQLValue {
        let mut object = Object::with_capacity(self.0.len());
        for (key, step) in &self.0 {
            let value = match step {
                Step::Fixed(name) => (*name).into(),
                Step::Own(place, kind) => kind.answer(row.at(*place).clone()),
                Step::Parts(place, parts) => parts_of(row.at(*place), parts),
                Step::Joined(join, parts) => joined(row, layout.start(*join, order), parts),
                Step::Branch(number) => layout.found(*number, row, found),
                // What failed has been noted and is left out.
                Step::Other => match others.next().flatten() {
                    Some(value) => value,
                    None => continue,
                },
            };
            merge(&mut object, key, value);
        }
        GraphQLValue::Object(object)
    }
}

impl Layout {
    fn found(&self, number: usize, row: &Values, found: &Found) -> GraphQLValue {
        let Some((place, branch)) = self.branches.get(number) else { return GraphQLValue::Null };
        let by_id = found.0.get(number);
        let own = row.id(*place).and_then(|id| by_id.and_then(|by_id| by_id.get(&id)).cloned());
        own.unwrap_or_else(|| branch.none())
    }
}

impl Step {
    /// How a field is made; nothing for what only a resolver knows.
    fn of(
        ctx: &Context<'_>,
        scope: &Scope,
        entity: AnyEntity,
        asked: &Positioned<Asked>,
        layout: &mut Layout,
    ) -> Option<Self> {
        let name = asked.node.name.node.as_str();
        if name == "__typename" {
            return Some(Self::Fixed(entity.name));
        }
        if let Some(shape) = (entity.shape)(name) {
            return match shape.kind {
                Kind::Parts(_) => {
                    let parts = parts(asked)?;
                    Some(Self::Parts(layout.column(shape), parts))
                }
                kind => Some(Self::Own(layout.column(shape), kind)),
            };
        }
        let relation = (entity.relation)(name)?;
        // Who may not read the others is told so by the resolver.
        scope.require(relation.target.read).ok()?;
        match relation.way {
            AnyWay::One { column } => {
                let via = Via::new(relation.name, column, relation.target);
                if let Some(step) = Self::joined(ctx, asked, via, relation.target, layout) {
                    return Some(step);
                }
                let branch = One::of(ctx, scope, relation.target, asked)?;
                let shape = Shape {
                    name: relation.name,
                    column,
                    kind: Kind::Id(relation.target.prefix),
                    nullable: true,
                };
                let place = layout.column(shape);
                Some(layout.branch(place, Box::new(branch)))
            }
            AnyWay::Many { column } => {
                let branch = Many::of(ctx, scope, relation.target, column, asked)?;
                Some(layout.branch(0, Box::new(branch)))
            }
        }
    }

    /// A relation of which nothing but plain fields is asked.
    fn joined(
        ctx: &Context<'_>,
        asked: &Positioned<Asked>,
        via: Via,
        target: AnyEntity,
        layout: &mut Layout,
    ) -> Option<Self> {
        let wanted = fields(ctx, &asked.node.selection_set, target.name);
        let shape = |field: &&Positioned<Asked>| {
            let name = field.node.name.node.as_str();
            let shape = if name == "__typename" { None } else { Some((target.shape)(name)?) };
            shape
                .is_none_or(|shape| shape.kind.is_leaf())
                .then(|| (field.node.response_key().node.clone(), shape))
        };
        let shapes: Vec<(Name, Option<Shape>)> = wanted.iter().map(shape).collect::<Option<_>>()?;
        let (number, _) = layout.join(via, None);
        let part = |(key, shape): (Name, Option<Shape>)| match shape {
            Some(shape) => (key, Part::Own(layout.join(via, Some(shape)).1, shape.kind)),
            None => (key, Part::Fixed(target.name)),
        };
        let parts = shapes.into_iter().map(part).collect();
        Some(Self::Joined(number, parts))
    }
}

impl Layout {
    fn branch(&mut self, place: usize, branch: Box<dyn Branch>) -> Step {
        self.branches.push((place, branch));
        Step::Branch(self.branches.len() - 1)
    }
}

/// The names under which fields of parts are answered, and those they have; nothing where a fragment
/// or `__typename` speaks of the parts' type, which the row does not know.
fn parts(asked: &Positioned<Asked>) -> Option<Vec<(Name, Name)>> {
    let mut found = vec![];
    for selection in &asked.node.selection_set.node.items {
        let Selection::Field(field) = &selection.node else { return None };
        // What a part has below, only its own type can answer.
        if field.node.name.node == "__typename" || !field.node.selection_set.node.items.is_empty() {
            return None;
        }
        found.push((field.node.response_key().node.clone(), field.node.name.node.clone()));
    }
    Some(found)
}

fn parts_of(value: &Value, parts: &[(Name, Name)]) -> GraphQLValue {
    let Value::Json(serde_json::Value::Array(list)) = value else { return GraphQLValue::List(vec![]) };
    let object = |part: &serde_json::Value| {
        let mut object = Object::with_capacity(parts.len());
        for (key, name) in parts {
            let value = part.get(name.as_str()).cloned().unwrap_or_default();
            object.insert(key.clone(), GraphQLValue::from_json(value).unwrap_or_default());
        }
        GraphQLValue::Object(object)
    };
    GraphQLValue::List(list.iter().map(object).collect())
}

/// A joined row; null if there is none, which its id tells.
fn joined(row: &Values, start: usize, parts: &[(Name, Part)]) -> GraphQLValue {
    if row.id(start).is_none() {
        return GraphQLValue::Null;
    }
    let mut object = Object::with_capacity(parts.len());
    for (key, part) in parts {
        let value = match part {
            Part::Fixed(name) => (*name).into(),
            Part::Own(place, kind) => kind.answer(row.at(start + 1 + place).clone()),
        };
        merge(&mut object, key, value);
    }
    GraphQLValue::Object(object)
}

/// Sets a field of an answer. The same field may be asked for twice, each time with other fields
/// below; then both are answered.
pub(crate) fn merge(object: &mut Object, key: &Name, value: GraphQLValue) {
    if let Some(earlier) = object.insert(key.clone(), value)
        && let Some(later) = object.get_mut(key)
    {
        let later = std::mem::replace(later, earlier);
        if let Some(both) = object.get_mut(key) {
            join(both, later);
        }
    }
}

/// Adds to an answer what another selection of the same field asked for.
fn join(there: &mut GraphQLValue, more: GraphQLValue) {
    match (there, more) {
        (GraphQLValue::Object(there), GraphQLValue::Object(more)) => {
            for (key, value) in more {
                merge(there, &key, value);
            }
        }
        (GraphQLValue::List(there), GraphQLValue::List(more)) => {
            for (there, more) in there.iter_mut().zip(more) {
                join(there, more);
            }
        }
        _ => {}
    }
}
