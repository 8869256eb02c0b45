//! Figures of a list, group by group: `contactsAggregate`.

mod answer;
mod bucket;
mod group;
mod measure;
mod recent;
mod statement;
mod unit;

use async_graphql::{Context, ServerResult, Value as GraphQLValue};
use tenancy::{Failure, Scope};

use self::{
    answer::Answer,
    group::GroupKey,
    measure::{Function, Measure, measure},
    statement::{Aggregate, COUNT, figure_name, key_name},
};
use crate::{
    any::AnyEntity,
    context::{argument, at, given_value, scope},
    kind::Kind,
    read::{
        deleted::{self, Deleted},
        filter::{self, compare},
        json::{Json, ResponseBudget},
        operator,
        order::{direction, only},
        page::limit,
        reading::Reading,
        search::{self, Search},
        selection::SelectedField,
    },
    registry::{self, Output, Registry},
    sql::{
        column::Column,
        condition::{Condition, Term},
        order::Direction,
        values::values,
    },
};

/// How many groups are answered at most.
const MAX_GROUPS: usize = 1000;
/// How many things groups are ordered by at most.
const MAX_ORDER: usize = 5;

/// What the field that answers figures is called.
pub(crate) fn field_name(entity: &AnyEntity) -> String {
    format!("{}Aggregate", entity.many)
}

/// Answers the figures that the field being resolved asks for.
pub(crate) async fn resolve(ctx: &Context<'_>, entity: &'static AnyEntity) -> ServerResult<GraphQLValue> {
    let answered = async {
        let (scope, budget) = (scope(ctx)?, ResponseBudget::of(ctx)?);
        entity.require(scope)?;
        let keys = match given_value(ctx, "groupBy") {
            Some(given) => group::read(entity, given, &mut Reading::new(scope, "groupBy"))?,
            None => vec![],
        };
        let answer =
            Answer::of(ctx, entity, &SelectedField::being_resolved(ctx), &keys, &Reading::new(scope, ""))?;
        let first = argument(ctx, "first")?;
        let mut statement = statement(ctx, scope, entity, keys, &answer.measures, first)?;
        if let Some(search) = Search::of(ctx, entity)? {
            statement.filter.push(search.condition(scope, &statement.table).await?);
        }
        let (keys, most) = (statement.keys.clone(), statement.limit);
        let rows = values(scope, statement).await?;
        if first.is_none() && rows.len() >= most {
            let message = format!(
                "There are more than {MAX_GROUPS} groups: say with `first` how many you want, or group more coarsely."
            );
            return Err(Failure::bad_request("first", message));
        }
        let mut json = Json::default();
        answer.write(&mut json, &keys, &rows);
        budget.finish(json, false)
    };
    answered.await.map_err(|failure| at(ctx, failure))
}

/// The statement that reads the groups and figures.
fn statement(
    ctx: &Context<'_>,
    scope: &Scope,
    entity: &'static AnyEntity,
    keys: Vec<GroupKey>,
    measures: &[Measure],
    first: Option<i32>,
) -> Result<Aggregate, Failure> {
    let filter = filter::conditions(scope, entity, given_value(ctx, "where"))?;
    let having = match given_value(ctx, "having") {
        Some(given) => having(entity, given, measures, &mut Reading::new(scope, "having"))?,
        None => vec![],
    };
    let order =
        order(entity, given_value(ctx, "orderBy"), &keys, measures, &mut Reading::new(scope, "orderBy"))?;
    let limit = match first {
        Some(first) => limit("first", first, MAX_GROUPS)?,
        None => MAX_GROUPS + 1,
    };
    let table = Deleted::of(ctx)?.rows(entity.rows(scope.session()));
    let measures = measures.to_vec();
    let mut aggregate = Aggregate { table, filter, keys, measures, having, order, limit };
    aggregate.keep_to_range();
    Ok(aggregate)
}

/// The figure's name in the statement, if the client asks for the figure at all.
fn selected(measures: &[Measure], wanted: &Measure, reading: &Reading<'_>) -> Result<&'static str, Failure> {
    let place = measures.iter().position(|measure| measure == wanted).and_then(figure_name);
    place.ok_or_else(|| reading.wrong("Ask for this figure among the fields of the answer, too."))
}

fn figure(
    entity: &'static AnyEntity,
    function: Function,
    name: &str,
    reading: &Reading<'_>,
) -> Result<Measure, Failure> {
    let none = || reading.wrong(format!("There is no {} of this.", function.name()));
    measure(entity, function, name, reading)?.ok_or_else(none)
}

/// Which groups are wanted.
fn having(
    entity: &'static AnyEntity,
    given: GraphQLValue,
    measures: &[Measure],
    reading: &mut Reading<'_>,
) -> Result<Vec<Condition>, Failure> {
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        reading.under(&name, |reading| {
            if name == "count" {
                all.push(compare(&count_column(COUNT), given, reading)?);
                return Ok(());
            }
            let unknown = || reading.wrong("There are no such figures.");
            let function = Function::named(&name).ok_or_else(unknown)?;
            for (name, given) in reading.object(given)? {
                all.push(reading.under(&name, |reading| {
                    let measure = figure(entity, function, &name, reading)?;
                    let column = selected(measures, &measure, reading)?;
                    let kind = function.kind(measure.column.kind);
                    let term = Term::Column(column);
                    let column = match function {
                        Function::CountDistinct => count_column(column),
                        _ => Column { term, kind, nullable: true, ..measure.column },
                    };
                    compare(&column, given, reading)
                })?);
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn count_column(column: &'static str) -> Column {
    Column { name: "count", kind: Kind::Integer, nullable: false, term: Term::Column(column) }
}

/// The order of the groups: as asked, and then by their keys.
fn order(
    entity: &'static AnyEntity,
    given: Option<GraphQLValue>,
    keys: &[GroupKey],
    measures: &[Measure],
    reading: &mut Reading<'_>,
) -> Result<Vec<(&'static str, Direction)>, Failure> {
    let given = match given {
        Some(GraphQLValue::List(given)) => given,
        Some(one) => vec![one],
        None => vec![],
    };
    if given.len() > MAX_ORDER {
        return Err(reading.wrong(format!("Order by at most {MAX_ORDER} things.")));
    }
    let mut order = vec![];
    for (number, given) in given.into_iter().enumerate() {
        order.push(reading.under(&number.to_string(), |reading| {
            let (name, given) = only(given, reading)?;
            reading.under(&name, |reading| match name.as_str() {
                "count" => Ok((COUNT, direction(given, reading)?)),
                "key" => by_key(given, keys, reading),
                name => {
                    let unknown = || reading.wrong("Groups have nothing of this name to order by.");
                    let function = Function::named(name).ok_or_else(unknown)?;
                    let (name, given) = only(given, reading)?;
                    reading.under(&name, |reading| {
                        let measure = figure(entity, function, &name, reading)?;
                        Ok((selected(measures, &measure, reading)?, direction(given, reading)?))
                    })
                }
            })
        })?);
    }
    for place in 0..keys.len() {
        if let Some(key) = key_name(place).filter(|key| !order.iter().any(|(name, _)| name == key)) {
            order.push((key, Direction::Asc));
        }
    }
    Ok(order)
}

fn by_key(
    given: GraphQLValue,
    keys: &[GroupKey],
    reading: &mut Reading<'_>,
) -> Result<(&'static str, Direction), Failure> {
    let (name, given) = only(given, reading)?;
    reading.under(&name, |reading| {
        let place = |relation, name: &str, reading: &Reading| {
            let place = keys.iter().position(|key| key.is(relation, name)).and_then(key_name);
            place.ok_or_else(|| reading.wrong("The groups are not made by this."))
        };
        if let GraphQLValue::Object(_) = given {
            let (inner, given) = only(given, reading)?;
            return reading.under(&inner, |reading| {
                Ok((place(Some(name.as_str()), &inner, reading)?, direction(given, reading)?))
            });
        }
        Ok((place(None, &name, reading)?, direction(given, reading)?))
    })
}

/// The field that answers figures, as the schema describes it.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> Output {
    let group_by = group::describe(entity, registry);
    let answer = answer::describe(entity, registry);
    let having = describe_having(entity, registry);
    let order = describe_order(entity, registry);
    let about_first = format!(
        "The number of groups, at most {MAX_GROUPS}. By default all, and an error if there are more than that."
    );
    let mut arguments = vec![
        registry::input("where", &format!("{}Filter", entity.name), "Only rows that match this filter."),
        registry::input("groupBy", &group_by, "The fields to group by. By default, all rows are one group."),
        registry::input("having", &having, "Only groups that match this filter."),
        registry::input(
            "orderBy",
            &format!("[{order}!]"),
            "The sort order of the groups. By default, by their keys.",
        ),
        registry::input("first", "Int", &about_first),
    ];
    arguments.extend(deleted::describe(entity, registry));
    arguments.extend(search::describe(entity));
    let about = format!("Figures of {}, group by group.", entity.many);
    let groups = registry::output(&field_name(entity), &format!("[{answer}!]"), &about, arguments);
    let groups = registry::rows(registry, &registry::GROUPS, groups);
    registry::never_null(registry, groups)
}

fn describe_having(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}Having", entity.name);
    let counts = operator::describe_counts(registry);
    let mut fields = vec![registry::input("count", &counts, "The number of rows in the group.")];
    for function in Function::ALL {
        if let Some(ty) = measure::describe_having(entity, function, registry) {
            let about = "Conditions on figures. Each must be among the fields of the response.";
            fields.push(registry::input(function.name(), &ty, about));
        }
    }
    let about = format!("A filter of groups of {}: every condition that is given must hold.", entity.many);
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, fields))
}

fn describe_order(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}GroupOrderBy", entity.name);
    let by_field = format!("{}OrderBy", entity.name);
    let mut fields = vec![
        registry::input("count", "OrderDirection", "The number of rows in the group."),
        registry::input("key", &by_field, "By a key of the groups."),
    ];
    for function in Function::ALL {
        if measure::describe(entity, function, registry).is_some() {
            let about = "By a figure, which must be among the fields of the response.";
            fields.push(registry::input(function.name(), &by_field, about));
        }
    }
    let about = format!("One sort key of groups of {}: exactly one field.", entity.many);
    registry::define(registry, &me.clone(), |_| {
        registry::one_of(registry::input_object_named(&me, &about, fields))
    })
}
