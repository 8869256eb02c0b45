//! What rows are grouped by.

use async_graphql::Value as GraphQLValue;
use tenancy::Failure;

use super::bucket::{self, Bucket};
use crate::{
    any::AnyEntity,
    field::Shape,
    kind::Kind,
    read::reading::Reading,
    registry::{self, Registry},
    sql::order::Via,
};

/// How many fields rows are grouped by at most.
pub(crate) const MAX_KEYS: usize = 8;

/// One field that rows are grouped by.
#[derive(Clone, Debug)]
pub(crate) struct GroupKey {
    pub(crate) shape: Shape,
    /// The relation whose field it is, if it is none of the rows' own.
    pub(crate) via: Option<Via>,
    pub(crate) bucket: Option<Bucket>,
}

impl GroupKey {
    /// Whether every bucket of a range is answered, also an empty one.
    pub(crate) fn is_filled(&self) -> bool {
        self.bucket.as_ref().is_some_and(|bucket| bucket.range.is_some())
    }

    /// Whether it is this field, or this field of this relation.
    pub(crate) fn is(&self, relation: Option<&str>, name: &str) -> bool {
        self.shape.name == name && self.via.as_ref().map(|via| via.relation) == relation
    }
}

/// Whether rows can be grouped by a field of this kind.
fn groups(shape: &Shape) -> bool {
    shape.kind.is_ordered() && shape.name != "id"
}

/// Reads what rows are grouped by.
pub(crate) fn read(
    entity: &'static AnyEntity,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Vec<GroupKey>, Failure> {
    let mut keys = vec![];
    for (name, given) in reading.object(given)? {
        reading.under(&name, |reading| {
            if let Some(shape) = entity.shape(&name) {
                return add(shape, None, given, reading, &mut keys);
            }
            let Some((target, via)) = entity.to_one(&name) else {
                return Err(reading.wrong(format!("{} cannot be grouped by this.", entity.many)));
            };
            related(target, &via, given, reading, &mut keys)
        })?;
    }
    if keys.len() > MAX_KEYS {
        return Err(reading.wrong(format!("Group by at most {MAX_KEYS} fields.")));
    }
    if keys.iter().filter(|key| key.is_filled()).count() > 1 {
        return Err(reading.wrong("Give `from` and `to` for one field only."));
    }
    if keys.len() > 1 {
        keys.iter()
            .filter_map(|key| key.bucket.as_ref())
            .try_for_each(|bucket| bucket.check_beside(reading))?;
    }
    Ok(keys)
}

fn related(
    target: &'static AnyEntity,
    via: &Via,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
    keys: &mut Vec<GroupKey>,
) -> Result<(), Failure> {
    reading.require(target)?;
    for (name, given) in reading.object(given)? {
        reading.under(&name, |reading| match target.shape(&name) {
            Some(shape) => add(shape, Some(via.clone()), given, reading, keys),
            None => Err(reading.wrong("A group reaches one relation far, and to its fields.")),
        })?;
    }
    Ok(())
}

fn add(
    shape: Shape,
    via: Option<Via>,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
    keys: &mut Vec<GroupKey>,
) -> Result<(), Failure> {
    if !groups(&shape) {
        return Err(reading.wrong("There is no grouping by this."));
    }
    let bucket = match given {
        GraphQLValue::Boolean(false) => return Ok(()),
        GraphQLValue::Boolean(true) if !shape.kind.is_time() => None,
        given if shape.kind.is_time() => Some(Bucket::read(shape.kind, given, reading)?),
        _ => return Err(reading.wrong("This is true or false.")),
    };
    if via.is_some() && bucket.as_ref().is_some_and(|bucket| bucket.range.is_some()) {
        return Err(reading.wrong("`from` and `to` are for the rows' own fields."));
    }
    keys.push(GroupKey { shape, via, bucket });
    Ok(())
}

/// The input that says what to group by.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}GroupBy", entity.name);
    let mut fields = vec![];
    for field in entity.fields().filter(|field| groups(&field.shape)) {
        let ty = match field.shape.kind {
            kind @ (Kind::Instant | Kind::Date) => bucket::describe(kind, registry),
            _ => "Boolean".to_owned(),
        };
        let about = registry::about(registry, entity.name, field.shape.name);
        fields.push(registry::input(field.shape.name, &ty, &about));
    }
    for relation in entity.relations_to_one() {
        let theirs = format!("{}GroupBy", relation.target.name);
        fields.push(registry::input(relation.name, &theirs, relation.about));
    }
    let about = format!("What {} are grouped by: all fields that are given here together.", entity.many);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, fields))
}

/// The object that holds the values a group was made by.
pub(crate) fn describe_key(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}GroupKey", entity.name);
    let mut fields = vec![];
    for field in entity.fields().filter(|field| groups(&field.shape)) {
        let ty = field.shape.kind.describe(registry);
        let mut about = registry::about(registry, entity.name, field.shape.name);
        if field.shape.kind.is_time() {
            about = format!("{about} Here: when the bucket begins.");
        }
        fields.push(registry::output(field.shape.name, ty.trim_end_matches('!'), &about, vec![]));
    }
    for relation in entity.relations_to_one() {
        let theirs = format!("{}GroupKey", relation.target.name);
        fields.push(registry::output(relation.name, &theirs, relation.about, vec![]));
    }
    let about = format!(
        "What the {} of one group have in common. Only what was grouped by can be asked for; null is a group of \
         its own.",
        entity.many
    );
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}
