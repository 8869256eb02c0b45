//! What rows are grouped by.

use async_graphql::Value as GraphQLValue;
use tenancy::Failure;

use super::bucket::{self, Bucket};
use crate::{
    any::AnyEntity,
    field::Field,
    kind::Kind,
    read::reading::Reading,
    registry::{self, Registry},
    sql::{column::Column, order::Via},
};

/// How many fields rows are grouped by at most.
pub(crate) const MAX_KEYS: usize = 8;

/// One field that rows are grouped by.
#[derive(Clone, Debug)]
pub(crate) struct GroupKey {
    pub(crate) column: Column,
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
        self.column.name == name && self.via.as_ref().map(|via| via.relation) == relation
    }
}

/// Whether rows can be grouped by a field.
fn groups(field: &Field) -> bool {
    field.shape.kind.is_ordered() && field.has_figures()
}

/// The column of a field by which rows can be grouped; nothing for a name that is no field's.
fn column(entity: &'static AnyEntity, name: &str, reading: &Reading<'_>) -> Result<Option<Column>, Failure> {
    let Some(column) = reading.column(entity, name)? else { return Ok(None) };
    match entity.field(name) {
        Some(field) if groups(field) => Ok(Some(column)),
        _ => Err(reading.wrong("There is no grouping by this.")),
    }
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
            if let Some(column) = column(entity, &name, reading)? {
                return add(column, None, given, reading, &mut keys);
            }
            let relation = entity.relation(&name);
            let via = relation.and_then(|relation| Some((relation.target, relation.via(reading.session())?)));
            let Some((target, via)) = via else {
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
        reading.under(&name, |reading| match column(target, &name, reading)? {
            Some(column) => add(column, Some(via.clone()), given, reading, keys),
            None => Err(reading.wrong("A group reaches one relation far, and to its fields.")),
        })?;
    }
    Ok(())
}

fn add(
    column: Column,
    via: Option<Via>,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
    keys: &mut Vec<GroupKey>,
) -> Result<(), Failure> {
    let bucket = match given {
        GraphQLValue::Boolean(false) => return Ok(()),
        GraphQLValue::Boolean(true) if !column.kind.is_time() => None,
        given if column.kind.is_time() => Some(Bucket::read(column.kind, given, reading)?),
        _ => return Err(reading.wrong("This is true or false.")),
    };
    if via.is_some() && bucket.as_ref().is_some_and(|bucket| bucket.range.is_some()) {
        return Err(reading.wrong("`from` and `to` are for the rows' own fields."));
    }
    keys.push(GroupKey { column, via, bucket });
    Ok(())
}

/// The input that says what to group by.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}GroupBy", entity.name);
    let mut fields = vec![];
    for field in entity.fields().filter(|field| groups(field)) {
        let ty = match field.shape.kind {
            kind @ (Kind::Instant | Kind::Date) => bucket::describe(kind, registry),
            _ => "Boolean".to_owned(),
        };
        let about = format!("By `{}`.", field.shape.name);
        fields.push(registry::input(field.shape.name, &ty, &about));
    }
    for relation in entity.relations_to_one() {
        let theirs = format!("{}GroupBy", relation.target.name);
        fields.push(registry::input(relation.name, &theirs, &format!("By fields of `{}`.", relation.name)));
    }
    let about = format!("What {} are grouped by: all fields that are given, together.", entity.many);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, fields))
}

/// The object that holds the values a group was made by.
pub(crate) fn describe_key(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}GroupKey", entity.name);
    let mut fields = vec![];
    for field in entity.fields().filter(|field| groups(field)) {
        let ty = field.shape.kind.describe(registry);
        let about = match field.shape.kind.is_time() {
            true => format!("When the bucket of `{}` begins.", field.shape.name),
            false => format!("The value of `{}`.", field.shape.name),
        };
        fields.push(registry::output(field.shape.name, ty.trim_end_matches('!'), &about, vec![]));
    }
    for relation in entity.relations_to_one() {
        let theirs = format!("{}GroupKey", relation.target.name);
        fields.push(registry::output(
            relation.name,
            &theirs,
            &format!("The values of `{}`.", relation.name),
            vec![],
        ));
    }
    let about = format!(
        "The values that the {} of a group have in common. Only what was grouped by can be asked for. Null values \
         are a group of their own.",
        entity.many
    );
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}
