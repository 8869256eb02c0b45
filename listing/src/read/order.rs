//! `orderBy`: the order of a list.

use async_graphql::{InputType, Name, Value as GraphQLValue};
use tenancy::{Failure, Scope};

use crate::{
    any::AnyEntity,
    read::reading::Reading,
    registry::{self, Registry},
    sql::order::{Direction, Key},
};

/// How many fields a list is ordered by at most.
const MAX_ORDER: usize = 5;

/// Reads the keys of an order, each given as `{name: ASC}` or `{company: {name: ASC}}`; newest first if
/// there are none. The id comes last, so that no two rows are equal.
///
/// # Errors
/// BAD_REQUEST for what rows cannot be ordered by, FORBIDDEN for what the session may not read.
pub(crate) fn read(
    scope: &Scope,
    entity: &'static AnyEntity,
    given: Option<GraphQLValue>,
) -> Result<Vec<Key>, Failure> {
    let given = match given {
        Some(GraphQLValue::List(given)) => given,
        Some(one) => vec![one],
        None => vec![],
    };
    let mut reading = Reading::new(scope, "orderBy");
    if given.len() > MAX_ORDER {
        return Err(reading.wrong(format!("Order by at most {MAX_ORDER} fields.")));
    }
    let mut keys = Vec::with_capacity(given.len() + 1);
    for (number, given) in given.into_iter().enumerate() {
        keys.push(reading.under(&number.to_string(), |reading| key(entity, given, reading))?);
    }
    if keys.is_empty() {
        let newest = entity.column(scope.session(), "createdAt");
        keys.extend(newest.map(|column| Key { column, via: None, direction: Direction::Desc }));
    }
    let direction = keys.last().map_or(Direction::Asc, |key| key.direction);
    keys.push(Key::id(direction));
    Ok(keys)
}

fn key(entity: &'static AnyEntity, given: GraphQLValue, reading: &mut Reading<'_>) -> Result<Key, Failure> {
    let (name, given) = only(given, reading)?;
    reading.under(&name, |reading| {
        if reading.column(entity, &name)?.is_some() {
            let column =
                entity.sort_column(reading.session(), &name).ok_or_else(|| cannot(entity, reading))?;
            return Ok(Key { column, via: None, direction: direction(given, reading)? });
        }
        let relation = entity.relation(&name).ok_or_else(|| cannot(entity, reading))?;
        let via = relation.via(reading.session()).ok_or_else(|| cannot(entity, reading))?;
        let target = relation.target;
        reading.require(target)?;
        let (name, given) = only(given, reading)?;
        reading.under(&name, |reading| {
            reading.column(target, &name)?;
            let wrong =
                || reading.wrong("An order reaches one relation far, and to fields that have an order.");
            let column = target.sort_column(reading.session(), &name).ok_or_else(wrong)?;
            Ok(Key { column, via: Some(via), direction: direction(given, reading)? })
        })
    })
}

fn cannot(entity: &AnyEntity, reading: &Reading<'_>) -> Failure {
    reading.wrong(format!("{} cannot be ordered by this.", entity.many))
}

/// The one field of an object of which one field is to be given.
pub(crate) fn only(given: GraphQLValue, reading: &Reading<'_>) -> Result<(Name, GraphQLValue), Failure> {
    let mut fields = reading.object(given)?.into_iter();
    match (fields.next(), fields.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(reading.wrong("Name exactly one field in each item of the order.")),
    }
}

pub(crate) fn direction(given: GraphQLValue, reading: &Reading<'_>) -> Result<Direction, Failure> {
    Direction::parse(Some(given))
        .map_err(|_| reading.wrong("This must be ASC, DESC, ASC_NULLS_FIRST or DESC_NULLS_FIRST."))
}

/// The input that names one field to order by.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}OrderBy", entity.name);
    let direction = <Option<Direction> as InputType>::create_type_info(registry);
    let mut fields = vec![];
    for field in entity.fields().filter(|field| field.shape.kind.is_ordered()) {
        let about = format!("By `{}`.", field.shape.name);
        fields.push(registry::input(field.shape.name, &direction, &about));
    }
    for relation in entity.relations_to_one() {
        let theirs = format!("{}OrderBy", relation.target.name);
        fields.push(registry::input(relation.name, &theirs, &format!("By a field of `{}`.", relation.name)));
    }
    let about = format!("One sort key of {}: exactly one field.", entity.many);
    registry::define(registry, &me.clone(), |_| {
        registry::one_of(registry::input_object_named(&me, &about, fields))
    })
}
