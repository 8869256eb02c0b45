//! Groups as GraphQL answers them.

use async_graphql::Context;
use tenancy::Failure;

use super::{
    group::{self, GroupKey},
    measure::{self, Function, MAX_FIGURES, Measure},
};
use crate::{
    any::AnyEntity,
    kind::Kind,
    read::{
        json::{Json, Key},
        reading::Reading,
        selection::SelectedField,
    },
    registry::{self, Registry},
    sql::values::Values,
    value::Value,
};

/// What a client asks of each group.
pub(crate) struct Answer {
    entity: &'static AnyEntity,
    parts: Vec<(Key, Part)>,
    pub(crate) measures: Vec<Measure>,
}

/// Where a field of the answer comes from.
enum Part {
    /// The name of a type.
    Fixed(String),
    /// The number of rows.
    Count,
    /// The key at this place.
    Key(usize),
    /// The figure at this place.
    Figure(usize),
    /// An object of these.
    Object(Vec<(Key, Part)>),
}

pub(crate) fn type_name(entity: &str) -> String {
    format!("{entity}Aggregate")
}

impl Answer {
    /// Reads the selection of a group.
    pub(crate) fn of<'a>(
        ctx: &Context<'a>,
        entity: &'static AnyEntity,
        asked: &SelectedField<'a>,
        keys: &[GroupKey],
        reading: &Reading<'_>,
    ) -> Result<Self, Failure> {
        let mut answer = Self { entity, parts: vec![], measures: vec![] };
        for field in asked.fields(ctx, &type_name(entity.name)) {
            let part = match field.name() {
                "__typename" => Part::Fixed(type_name(entity.name)),
                "count" => Part::Count,
                "key" => Part::Object(key_parts(ctx, &field, keys, None, entity.name)?),
                name => match Function::named(name) {
                    Some(function) => Part::Object(answer.figures(ctx, &field, function, reading)?),
                    None => continue,
                },
            };
            answer.parts.push((field.key(), part));
        }
        Ok(answer)
    }

    fn figures<'a>(
        &mut self,
        ctx: &Context<'a>,
        asked: &SelectedField<'a>,
        function: Function,
        reading: &Reading<'_>,
    ) -> Result<Vec<(Key, Part)>, Failure> {
        let mut parts = vec![];
        let ty = measure::type_name(self.entity, function);
        for field in asked.fields(ctx, &ty) {
            let part = match measure::measure(self.entity, function, field.name(), reading)? {
                Some(measure) => {
                    let known = self.measures.iter().position(|known| *known == measure);
                    Part::Figure(known.unwrap_or_else(|| {
                        self.measures.push(measure);
                        self.measures.len() - 1
                    }))
                }
                None => Part::Fixed(ty.clone()),
            };
            parts.push((field.key(), part));
        }
        if self.measures.len() > MAX_FIGURES { Err(measure::too_many()) } else { Ok(parts) }
    }

    /// Writes the groups, as they were asked for.
    pub(crate) fn write(&self, json: &mut Json, keys: &[GroupKey], rows: &[Values]) {
        json.list(rows, |json, row| {
            let (of, more) = row.0.split_at(keys.len().min(row.0.len()));
            let (count, figures) = more.split_first().unwrap_or((&Value::Null, &[]));
            Group { keys, of, count, figures, measures: &self.measures }.write(json, &self.parts);
        });
    }
}

/// One group, as it was read.
struct Group<'g> {
    keys: &'g [GroupKey],
    of: &'g [Value],
    count: &'g Value,
    figures: &'g [Value],
    measures: &'g [Measure],
}

impl Group<'_> {
    fn write(&self, json: &mut Json, parts: &[(Key, Part)]) {
        json.object(parts, |json, part| match part {
            Part::Fixed(name) => json.plain(name),
            Part::Object(parts) => self.write(json, parts),
            Part::Count => json.value(Kind::Integer, self.count),
            Part::Key(place) => match self.keys.get(*place).zip(self.of.get(*place)) {
                Some((key, value)) => match key.bucket.as_ref().and_then(|bucket| bucket.start(value)) {
                    Some(start) => json.plain(start),
                    None => json.value(key.column.kind, value),
                },
                None => json.null(),
            },
            Part::Figure(place) => match self.measures.get(*place).zip(self.figures.get(*place)) {
                Some((measure, value)) => json.value(measure.function.kind(measure.column.kind), value),
                None => json.null(),
            },
        });
    }
}

/// The keys that a selection asks for; what the groups are not made by is refused.
fn key_parts<'a>(
    ctx: &Context<'a>,
    asked: &SelectedField<'a>,
    keys: &[GroupKey],
    relation: Option<&str>,
    entity: &str,
) -> Result<Vec<(Key, Part)>, Failure> {
    let ty = format!("{entity}GroupKey");
    let mut parts = vec![];
    for field in asked.fields(ctx, &ty) {
        let name = field.name();
        let own = keys.iter().position(|key| key.is(relation, name));
        let theirs = keys
            .iter()
            .find_map(|key| key.via.as_ref().filter(|via| relation.is_none() && via.relation == name));
        let part = match (own, theirs) {
            (Some(place), _) => Part::Key(place),
            (None, Some(via)) => Part::Object(key_parts(ctx, &field, keys, Some(via.relation), via.target)?),
            (None, None) if name == "__typename" => Part::Fixed(ty.clone()),
            (None, None) => {
                let path = relation.map_or_else(|| name.to_owned(), |relation| format!("{relation}.{name}"));
                let message = format!("The key has no `{path}`: the groups are not made by it.");
                return Err(Failure::bad_request("groupBy", message));
            }
        };
        parts.push((field.key(), part));
    }
    Ok(parts)
}

/// A group as the schema describes it.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = type_name(entity.name);
    let key = group::describe_key(entity, registry);
    let mut fields = vec![
        registry::output("key", &format!("{key}!"), "The values that the group has in common.", vec![]),
        registry::output("count", "Int!", "The number of rows in the group.", vec![]),
    ];
    for function in Function::ALL {
        if let Some((ty, about)) = measure::describe(entity, function, registry) {
            fields.push(registry::output(function.name(), &format!("{ty}!"), about, vec![]));
        }
    }
    let about = format!("A group of {}, and its figures.", entity.many);
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}
