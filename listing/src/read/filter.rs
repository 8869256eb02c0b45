//! `where`: which rows a list, an aggregate or an export is about.

use async_graphql::{InputType, Value as GraphQLValue};
use tenancy::{Failure, Scope};

use crate::{
    any::{AnyEntity, AnyRelation, Way},
    kind::{Kind, PartField, Parts},
    read::{
        operator::{self, Operator},
        reading::{MAX_CONDITIONS, Reading},
    },
    registry::{self, Registry},
    sql::{
        column::Column,
        condition::{Comparison, Condition, Term},
        list::List,
    },
    value::Value,
};

/// Asks whether a relation leads nowhere.
const IS_NULL: &str = "isNull";
/// The longest text that is looked for inside another.
const MAX_PATTERN: usize = 500;

/// Reads a filter of an entity. Without one, every row passes.
///
/// # Errors
/// BAD_REQUEST at the place of a mistake, FORBIDDEN for what the session may not read.
pub(crate) fn conditions(
    scope: &Scope,
    entity: &'static AnyEntity,
    given: Option<GraphQLValue>,
) -> Result<Vec<Condition>, Failure> {
    let Some(given) = given else { return Ok(vec![]) };
    let condition = read(entity, given, &mut Reading::new(scope, "where"))?;
    // An empty filter would only make another text of the same statement.
    Ok(Some(condition).filter(|condition| *condition != Condition::All(vec![])).into_iter().collect())
}

/// Reads conditions on an entity.
fn read(
    entity: &'static AnyEntity,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        all.push(reading.under(&name, |reading| part(entity, &name, given, reading))?);
    }
    Ok(Condition::All(all))
}

/// Reads what a filter says under one name.
fn part(
    entity: &'static AnyEntity,
    name: &str,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    if let Some(column) = reading.column(entity, name)? {
        return compare(&column, given, reading);
    }
    if let Some(relation) = entity.relation(name) {
        reading.require(relation.target)?;
        return match relation.way {
            Way::One { column } => {
                reading.count_related()?;
                one(relation, column, given, reading)
            }
            Way::Many { .. } => reading.through_many(|reading| quantified(relation, given, reading)),
        };
    }
    match name {
        "and" => Ok(Condition::All(several(entity, given, reading)?)),
        "or" => Ok(Condition::Any(several(entity, given, reading)?)),
        IS_NULL => {
            Err(reading.wrong("Only the filter of a relation can ask whether there is no such record."))
        }
        "not" => Ok(Condition::Not(Box::new(read(entity, given, reading)?))),
        _ => Err(reading.wrong(format!("A filter of {} has no such field.", entity.many))),
    }
}

/// Reads what a filter asks of the row at the other end of a relation to one.
fn one(
    relation: &AnyRelation,
    column: &'static str,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let mut given = reading.object(given)?;
    let related = |condition| Condition::Related(relation.path(reading.session()), Box::new(condition));
    let any = related(Condition::All(vec![]));
    let is_null = given.swap_remove(IS_NULL);
    let is_null = is_null.map(|given| {
        reading.under(IS_NULL, |reading| {
            reading.count()?;
            Ok(unless(any.clone(), !boolean(given, reading)?))
        })
    });
    let mut all: Vec<Condition> = is_null.transpose()?.into_iter().collect();
    if !given.is_empty() || all.is_empty() {
        let condition = read(relation.target, GraphQLValue::Object(given), reading)?;
        // Our own row knows the id as well, and there is an index for it.
        all.extend(condition.of_id_in(column));
        all.push(Condition::Related(relation.path(reading.session()), Box::new(condition)));
    }
    Ok(Condition::All(all))
}

fn several(
    entity: &'static AnyEntity,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Vec<Condition>, Failure> {
    // A single value is a list of one, as everywhere in GraphQL.
    let list = if let GraphQLValue::List(list) = given { list } else { vec![given] };
    let mut conditions = Vec::with_capacity(list.len().min(MAX_CONDITIONS));
    for (number, given) in list.into_iter().enumerate() {
        reading.count()?;
        conditions.push(reading.under(&number.to_string(), |reading| read(entity, given, reading))?);
    }
    Ok(conditions)
}

/// Reads what a filter asks of the rows at the other end of a relation to many.
fn quantified(
    relation: &AnyRelation,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let path = relation.path(reading.session());
    let related = |condition| Condition::Related(path.clone(), Box::new(condition));
    let not = |condition| Condition::Not(Box::new(condition));
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        let condition = reading.under(&name, |reading| {
            if name != "count" {
                reading.count_related()?;
            }
            Ok(match name.as_str() {
                "some" => related(read(relation.target, given, reading)?),
                "none" => not(related(read(relation.target, given, reading)?)),
                "every" => not(related(not(read(relation.target, given, reading)?))),
                "count" => Condition::All(counts(relation, given, reading)?),
                _ => return Err(reading.wrong("Ask for `some`, `none`, `every` or `count`.")),
            })
        })?;
        all.push(condition);
    }
    Ok(Condition::All(all))
}

fn counts(
    relation: &AnyRelation,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Vec<Condition>, Failure> {
    // As with other operators, a null is a mistake and no absence.
    let GraphQLValue::Object(operators) = given else {
        return Err(reading.wrong("Give an operator, such as {gte: ..}."));
    };
    let mut all = vec![];
    for (name, given) in operators {
        all.push(reading.under(&name, |reading| {
            reading.count_related()?;
            let comparison = operator::COUNTS.iter().find(|(known, ..)| *known == name.as_str());
            let number = i64::parse(Some(given)).map_err(|_| reading.wrong("This is not a number."))?;
            match comparison {
                Some((_, Operator::Compare(comparison), _)) => {
                    Ok(Condition::Counted(relation.path(reading.session()), *comparison, number))
                }
                _ => Err(reading.wrong("A count has no such operator.")),
            }
        })?);
    }
    Ok(all)
}

/// Reads the operators of one field.
pub(crate) fn compare(
    column: &Column,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let GraphQLValue::Object(operators) = given else {
        return Err(reading.wrong("Give an operator, such as {eq: ..}."));
    };
    let mut all = vec![];
    for (name, given) in operators {
        all.push(reading.under(&name, |reading| {
            reading.count()?;
            let known = operator::of(column.kind).iter().find(|(known, ..)| *known == name.as_str());
            let Some((_, operator, _)) = known else {
                return Err(reading.wrong("This field has no such operator."));
            };
            if given == GraphQLValue::Null {
                return Err(reading.wrong("This must not be null: use `isNull` to look for empty values."));
            }
            operate(column, *operator, given, reading)
        })?);
    }
    Ok(Condition::All(all))
}

fn operate(
    column: &Column,
    operator: Operator,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let kind = column.kind;
    let term = || column.term.clone();
    let wrong = |reading: &Reading<'_>, message| reading.wrong(message);
    Ok(match operator {
        Operator::Compare(comparison) => {
            let value = kind.read(given).map_err(|message| wrong(reading, message))?;
            match (kind, &value) {
                (Kind::Choice(choice), Value::Text(name)) => match choice.find(name) {
                    Some(name) => Condition::Named(term(), comparison, name),
                    None => Condition::Is(term(), comparison, value),
                },
                _ => Condition::Is(term(), comparison, value),
            }
        }
        Operator::In(holds) => {
            let values = list(kind, given, reading)?;
            let one_of = if values.is_empty() {
                Condition::Any(vec![])
            } else {
                let list = List::of(values).ok_or_else(|| reading.wrong("This field has no lists."))?;
                Condition::OneOf(term(), list)
            };
            unless(one_of, holds)
        }
        Operator::Like(before, after) => {
            let Value::Text(text) = kind.read(given).map_err(|message| wrong(reading, message))? else {
                return Err(reading.wrong("This is not text."));
            };
            if text.chars().count() > MAX_PATTERN {
                return Err(reading.wrong(format!("Look for at most {MAX_PATTERN} characters.")));
            }
            let text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            Condition::Like(term(), format!("{before}{text}{after}"))
        }
        Operator::Empty if kind.is_ordered() => unless(Condition::Empty(term()), boolean(given, reading)?),
        Operator::Empty => {
            let none = match kind {
                Kind::Texts | Kind::Choices(_) => Value::Texts(vec![]),
                _ => Value::Json(serde_json::json!([])),
            };
            unless(Condition::Is(term(), Comparison::Eq, none), boolean(given, reading)?)
        }
        Operator::Contains => {
            let value = kind.read(given).map_err(|message| wrong(reading, message))?;
            Condition::Contains(term(), value)
        }
        Operator::Part(holds) => {
            let Kind::Parts(parts) = kind else { return Err(reading.wrong("This field is no list.")) };
            let condition = part_of(parts, given, reading)?;
            unless(Condition::Part(term(), parts, Box::new(condition)), holds)
        }
        Operator::Has => operator::has(column, vec![member(kind, given, reading)?], true)
            .ok_or_else(|| reading.wrong("This field is no list."))?,
        Operator::HasSeveral(all) => {
            let given = if let GraphQLValue::List(list) = given { list } else { vec![given] };
            reading.list(given.len())?;
            let texts =
                given.into_iter().map(|given| member(kind, given, reading)).collect::<Result<_, _>>()?;
            operator::has(column, texts, all).ok_or_else(|| reading.wrong("This field is no list."))?
        }
    })
}

/// Reads what a filter asks of one part of a list.
fn part_of(parts: Parts, given: GraphQLValue, reading: &mut Reading<'_>) -> Result<Condition, Failure> {
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        all.push(reading.under(&name, |reading| {
            let field = parts.fields.iter().find(|field| field.name == name.as_str());
            let Some(PartField { name, .. }) = field else {
                return Err(reading.wrong("An item has no such field."));
            };
            let column = Column { name, kind: Kind::Text, nullable: true, term: Term::Column(name) };
            compare(&column, given, reading)
        })?);
    }
    Ok(Condition::All(all))
}

/// The condition, or its opposite.
fn unless(condition: Condition, holds: bool) -> Condition {
    if holds { condition } else { Condition::Not(Box::new(condition)) }
}

fn boolean(given: GraphQLValue, reading: &Reading<'_>) -> Result<bool, Failure> {
    bool::parse(Some(given)).map_err(|_| reading.wrong("This must be true or false."))
}

/// One of the things that a list of this kind may have.
fn member(kind: Kind, given: GraphQLValue, reading: &Reading<'_>) -> Result<String, Failure> {
    let kind = if let Kind::Choices(choice) = kind { Kind::Choice(choice) } else { Kind::Text };
    match kind.read(given).map_err(|message| reading.wrong(message))? {
        Value::Text(text) => Ok(text),
        _ => Err(reading.wrong("This is not text.")),
    }
}

fn list(kind: Kind, given: GraphQLValue, reading: &mut Reading<'_>) -> Result<Vec<Value>, Failure> {
    let list = if let GraphQLValue::List(list) = given { list } else { vec![given] };
    reading.list(list.len())?;
    let read = |(number, given): (usize, GraphQLValue)| {
        let number = number.to_string();
        reading.under(&number, |reading| kind.read(given).map_err(|message| reading.wrong(message)))
    };
    list.into_iter().enumerate().map(read).collect()
}

/// The input that says which rows are meant.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}Filter", entity.name);
    let mut fields = vec![];
    for field in entity.fields() {
        let operators = operator::describe(field.shape.kind, registry);
        // The entity says what the field is for; here that would be a third of the introspection.
        let about = format!("A condition on `{}`.", field.shape.name);
        fields.push(registry::input(field.shape.name, &operators, &about));
    }
    for relation in entity.relations() {
        let filter = match relation.way {
            Way::One { .. } => format!("{}Filter", relation.target.name),
            Way::Many { .. } => describe_quantified(relation.target.name, registry),
        };
        fields.push(registry::input(relation.name, &filter, &format!("A condition on `{}`.", relation.name)));
    }
    let list = format!("[{me}!]");
    fields.push(registry::input("and", &list, "All of these filters must match."));
    fields.push(registry::input("or", &list, "At least one of these filters must match."));
    fields.push(registry::input("not", &me, "This filter must not match."));
    fields.push(registry::input(
        IS_NULL,
        "Boolean",
        "In the filter of a relation: whether there is no such record.",
    ));
    let about = format!(
        "A filter of {}: every field that is given must match. A field that is null is ignored.",
        entity.many
    );
    registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, fields))
}

/// The filter of a relation to many of these entities.
fn describe_quantified(entity: &str, registry: &mut Registry) -> String {
    let (filter, me) = (format!("{entity}Filter"), format!("{entity}ListFilter"));
    let counts = operator::describe_counts(registry);
    registry::define(registry, &me.clone(), |_| {
        let fields = [
            registry::input("some", &filter, "At least one related record matches."),
            registry::input("none", &filter, "No related record matches."),
            registry::input("every", &filter, "Every related record matches, or there is none."),
            registry::input("count", &counts, "How many related records there are."),
        ];
        registry::input_object_named(
            &me,
            "A condition on related records. Deleted ones do not count.",
            fields,
        )
    })
}
