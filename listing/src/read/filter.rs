//! `where`: which rows a list, an aggregate or an export is about.

use async_graphql::{InputType, Value as GraphQLValue};
use tenancy::{Failure, Scope};

use crate::{
    any::{AnyEntity, AnyRelation, Way},
    field::Shape,
    kind::Kind,
    read::{
        operator::{self, Operator},
        reading::{MAX_CONDITIONS, Reading},
    },
    registry::{self, Registry},
    sql::{
        condition::{Comparison, Condition, Table},
        list::List,
    },
    value::Value,
};

/// The longest text that is looked for inside another.
const MAX_PATTERN: usize = 500;

/// A filter, read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    condition: Condition,
    /// Whether it asks for deleted rows; otherwise they are left out.
    of_deleted: bool,
}

impl Filter {
    /// Reads a filter of an entity; without one, everything passes that is not deleted.
    ///
    /// # Errors
    /// BAD_REQUEST at the place of a mistake, FORBIDDEN for what the session may not read.
    pub(crate) fn read(
        scope: &Scope,
        entity: &'static AnyEntity,
        given: Option<GraphQLValue>,
    ) -> Result<Self, Failure> {
        let Some(given) = given else {
            return Ok(Self { condition: Condition::All(vec![]), of_deleted: false });
        };
        let deleted = if let GraphQLValue::Object(given) = &given { given.get("deletedAt") } else { None };
        let of_deleted = matches!(deleted, Some(GraphQLValue::Object(operators)) if !operators.is_empty());
        let condition = read(entity, given, &mut Reading::new(scope, "where"))?;
        Ok(Self { condition, of_deleted })
    }

    /// The rows that it is about.
    pub(crate) fn rows(&self, entity: &AnyEntity) -> Table {
        if self.of_deleted { entity.rows().with_deleted() } else { entity.rows() }
    }

    /// What a row must meet.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = Condition> {
        // An empty filter would only make another text of the same statement.
        Some(self.condition.clone()).filter(|condition| *condition != Condition::All(vec![])).into_iter()
    }
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
    if let Some(shape) = entity.shape(name) {
        return compare(shape, given, reading);
    }
    if let Some(relation) = entity.relation(name) {
        reading.require(relation.target)?;
        return match relation.way {
            Way::One { column } => {
                reading.count_related()?;
                let condition = read(relation.target, given, reading)?;
                // Our own row knows the id as well, and there is an index for it.
                let id = condition.of_id_in(column);
                let related = Condition::Related(relation.path(), Box::new(condition));
                Ok(Condition::All(id.into_iter().chain([related]).collect()))
            }
            Way::Many { .. } => reading.through_many(|reading| quantified(relation, given, reading)),
        };
    }
    match name {
        "and" => Ok(Condition::All(several(entity, given, reading)?)),
        "or" => Ok(Condition::Any(several(entity, given, reading)?)),
        "not" => Ok(Condition::Not(Box::new(read(entity, given, reading)?))),
        _ => Err(reading.wrong(format!("A filter of {} has no such field.", entity.many))),
    }
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
    let related = |condition| Condition::Related(relation.path(), Box::new(condition));
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
                    Ok(Condition::Counted(relation.path(), *comparison, number))
                }
                _ => Err(reading.wrong("A count has no such operator.")),
            }
        })?);
    }
    Ok(all)
}

/// Reads the operators of one field.
pub(crate) fn compare(
    shape: Shape,
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
            let known = operator::of(shape.kind).iter().find(|(known, ..)| *known == name.as_str());
            let Some((_, operator, _)) = known else {
                return Err(reading.wrong("This field has no such operator."));
            };
            if given == GraphQLValue::Null {
                return Err(reading.wrong("This must not be null: use `isNull` to look for empty values."));
            }
            operate(shape, *operator, given, reading)
        })?);
    }
    Ok(Condition::All(all))
}

fn operate(
    shape: Shape,
    operator: Operator,
    given: GraphQLValue,
    reading: &mut Reading<'_>,
) -> Result<Condition, Failure> {
    let Shape { column, kind, .. } = shape;
    let wrong = |reading: &Reading<'_>, message| reading.wrong(message);
    let yes = |given, reading: &Reading<'_>| {
        bool::parse(Some(given)).map_err(|_| reading.wrong("This is true or false."))
    };
    let unless = |condition, holds| if holds { condition } else { Condition::Not(Box::new(condition)) };
    Ok(match operator {
        Operator::Compare(comparison) => {
            let value = kind.read(given).map_err(|message| wrong(reading, message))?;
            Condition::Is(column, comparison, value)
        }
        Operator::In(holds) => {
            let values = list(shape, given, reading)?;
            let one_of = if values.is_empty() {
                Condition::Any(vec![])
            } else {
                let list = List::of(values).ok_or_else(|| reading.wrong("This field has no lists."))?;
                Condition::OneOf(column, list)
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
            Condition::Like(column, format!("{before}{text}{after}"))
        }
        Operator::Empty if shape.kind.is_ordered() => unless(Condition::Empty(column), yes(given, reading)?),
        Operator::Empty => {
            let none = match kind {
                Kind::Texts => Value::Texts(vec![]),
                _ => Value::Json(serde_json::json!([])),
            };
            unless(Condition::Is(column, Comparison::Eq, none), yes(given, reading)?)
        }
        Operator::Contains => {
            let value = kind.read(given).map_err(|message| wrong(reading, message))?;
            Condition::Contains(column, value)
        }
        Operator::Has => shape
            .has(vec![text(given, reading)?], true)
            .ok_or_else(|| reading.wrong("This field is no list."))?,
        Operator::HasSeveral(all) => {
            let given = if let GraphQLValue::List(list) = given { list } else { vec![given] };
            reading.list(given.len())?;
            let texts = given.into_iter().map(|given| text(given, reading)).collect::<Result<_, _>>()?;
            shape.has(texts, all).ok_or_else(|| reading.wrong("This field is no list."))?
        }
    })
}

fn text(given: GraphQLValue, reading: &Reading<'_>) -> Result<String, Failure> {
    match Kind::Text.read(given).map_err(|message| reading.wrong(message))? {
        Value::Text(text) => Ok(text),
        _ => Err(reading.wrong("This is not text.")),
    }
}

fn list(shape: Shape, given: GraphQLValue, reading: &mut Reading<'_>) -> Result<Vec<Value>, Failure> {
    let list = if let GraphQLValue::List(list) = given { list } else { vec![given] };
    reading.list(list.len())?;
    let read = |(number, given): (usize, GraphQLValue)| {
        let number = number.to_string();
        reading.under(&number, |reading| shape.kind.read(given).map_err(|message| reading.wrong(message)))
    };
    list.into_iter().enumerate().map(read).collect()
}

/// The input that says which rows are meant.
pub(crate) fn describe(entity: &'static AnyEntity, registry: &mut Registry) -> String {
    let me = format!("{}Filter", entity.name);
    let mut fields = vec![];
    for field in entity.fields() {
        let operators = operator::describe(field.shape.kind, registry);
        let mut about = registry::about(registry, entity.name, field.shape.name);
        if let Kind::Parts(key) = field.shape.kind {
            about = format!("{about} Here each is known by its `{key}`.");
        }
        fields.push(registry::input(field.shape.name, &operators, &about));
    }
    for relation in entity.relations() {
        let filter = match relation.way {
            Way::One { .. } => format!("{}Filter", relation.target.name),
            Way::Many { .. } => describe_quantified(relation.target.name, registry),
        };
        fields.push(registry::input(relation.name, &filter, relation.about));
    }
    let list = format!("[{me}!]");
    fields.push(registry::input("and", &list, "All of these hold."));
    fields.push(registry::input("or", &list, "One of these holds."));
    fields.push(registry::input("not", &me, "This does not hold."));
    let about = format!(
        "Which {} are meant: those for which all that is given here holds; what is null is not asked. Deleted ones only where the filter \
         itself, and not a part of it, asks for `deletedAt`.",
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
            registry::input("some", &filter, "At least one is there for which this holds."),
            registry::input("none", &filter, "None is there for which this holds."),
            registry::input("every", &filter, "This holds for each that is there; also if none is."),
            registry::input("count", &counts, "How many there are."),
        ];
        registry::input_object_named(
            &me,
            "What is asked of related entities. Deleted ones are not there.",
            fields,
        )
    })
}
