//! `where`: which rows a list, an aggregate or an export is about.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{InputType, InputValueResult, Name, Value as GraphQLValue, indexmap::IndexMap};
use tenancy::{Failure, Permission, Scope};

use crate::{
    Condition, Entity, Kind, Value,
    entity::{field, relation},
    field::Shape,
    read::operator::{self, Operator},
    registry::{self, MetaType, MetaTypeId, Registry},
    relation::Way,
    sql::condition::{Comparison, Path},
    sql::list::List,
};

/// How deep a filter nests at most.
const MAX_DEPTH: usize = 20;
/// How many conditions a filter has at most.
const MAX_CONDITIONS: usize = 200;
/// How many values a list in a filter has at most.
const MAX_LIST: usize = 1000;
/// How many values all lists of a filter have together: each nested list keeps its filter.
const MAX_VALUES: usize = 2000;
/// How many relations to many stand in one another at most: nobody understands more.
const MAX_MANY: usize = 3;
/// How often a filter asks for related rows at most: each time is a pass over a table, and its ids
/// are kept in memory meanwhile.
const MAX_RELATED: usize = 20;
/// The longest text that is looked for inside another.
const MAX_PATTERN: usize = 500;

/// A filter as it came in. What is wrong with it is said where it is used, together with its place.
pub struct Where<E> {
    filter: Result<Filter, Failure>,
    entity: PhantomData<fn() -> E>,
}

/// A filter, read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    condition: Condition,
    /// What else one must be allowed to read, so that nobody finds out by asking.
    needs: Vec<Permission>,
    /// Whether it says itself what it wants of deleted rows; otherwise they are not there.
    of_deleted: bool,
}

impl Filter {
    /// The filter that lets everything through that is not deleted.
    pub(crate) const NONE: Self =
        Self { condition: Condition::All(vec![]), needs: vec![], of_deleted: false };

    /// What a row must meet.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = Condition> {
        let live = (!self.of_deleted).then_some(Condition::LIVE);
        // An empty filter would only make another text of the same statement.
        let own = Some(self.condition.clone()).filter(|condition| *condition != Condition::All(vec![]));
        live.into_iter().chain(own)
    }

    /// Passes if the session may read all that the filter looks at.
    pub(crate) fn allowed(&self, scope: &Scope) -> Result<(), Failure> {
        self.needs.iter().try_for_each(|permission| scope.require(*permission))
    }
}

impl<E> Where<E> {
    pub(crate) fn read(self) -> Result<Filter, Failure> {
        self.filter
    }
}

/// Where a filter is being read, and how much of it has been.
pub(crate) struct Reading {
    path: Vec<String>,
    conditions: usize,
    values: usize,
    many: usize,
    related: usize,
    needs: Vec<Permission>,
}

impl Reading {
    /// At the argument of this name.
    pub(crate) fn at(argument: &str) -> Self {
        Self { path: vec![argument.to_owned()], conditions: 0, values: 0, many: 0, related: 0, needs: vec![] }
    }

    pub(crate) fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::bad_request(&self.path.join("."), message)
    }

    /// Reads what stands under a name.
    pub(crate) fn under<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.path.len() > MAX_DEPTH {
            return Err(self.wrong(format!("A filter nests at most {MAX_DEPTH} levels deep.")));
        }
        self.path.push(name.to_owned());
        let outcome = read(self);
        self.path.pop();
        outcome
    }

    pub(crate) fn needs(&mut self, permission: Permission) {
        if !self.needs.contains(&permission) {
            self.needs.push(permission);
        }
    }

    /// Passes if the session may read all that was looked at.
    pub(crate) fn allowed(&self, scope: &Scope) -> Result<(), Failure> {
        self.needs.iter().try_for_each(|permission| scope.require(*permission))
    }

    fn count(&mut self) -> Result<(), Failure> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.wrong(format!("A filter has at most {MAX_CONDITIONS} conditions.")));
        }
        Ok(())
    }

    /// Counts a condition on related rows.
    fn count_related(&mut self) -> Result<(), Failure> {
        self.related += 1;
        if self.related > MAX_RELATED {
            return Err(self.wrong(format!("A filter asks for related rows at most {MAX_RELATED} times.")));
        }
        self.count()
    }

    /// Counts the values of a list.
    fn list(&mut self, length: usize) -> Result<(), Failure> {
        self.values = self.values.saturating_add(length);
        if length > MAX_LIST {
            return Err(self.wrong(format!("This list has at most {MAX_LIST} values.")));
        }
        if self.values > MAX_VALUES {
            return Err(
                self.wrong(format!("All lists of a filter have at most {MAX_VALUES} values together."))
            );
        }
        Ok(())
    }

    /// The fields of an input object; those that are null are left out.
    pub(crate) fn object(&self, given: GraphQLValue) -> Result<IndexMap<Name, GraphQLValue>, Failure> {
        let GraphQLValue::Object(mut object) = given else {
            return Err(self.wrong("This is not an object."));
        };
        object.retain(|_, value| *value != GraphQLValue::Null);
        Ok(object)
    }
}

/// Reads a filter of an entity.
pub(crate) fn read<E: Entity>(given: GraphQLValue, reading: &mut Reading) -> Result<Condition, Failure> {
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        all.push(reading.under(&name, |reading| part::<E>(&name, given, reading))?);
    }
    Ok(Condition::All(all))
}

/// Reads what a filter says under one name.
fn part<E: Entity>(name: &str, given: GraphQLValue, reading: &mut Reading) -> Result<Condition, Failure> {
    if let Some(field) = field::<E>(name) {
        return compare(field.shape, given, reading);
    }
    if let Some(relation) = relation::<E>(name) {
        reading.needs(relation.target.read);
        let table = relation.target.table;
        return match relation.way {
            Way::One { column, .. } => {
                reading.count_related()?;
                let path = Path { table, ours: column, theirs: "id" };
                let condition = (relation.target.filter)(given, reading)?;
                // Our own row knows the id as well, and there is an index for it.
                let id = condition.of_id_in(column);
                let related = Condition::Related(path, Box::new(condition));
                Ok(Condition::All(id.into_iter().chain([related]).collect()))
            }
            Way::Many { column } => {
                let path = Path { table, ours: "id", theirs: column };
                reading.many += 1;
                if reading.many > MAX_MANY {
                    let message = format!("Ask through at most {MAX_MANY} relations to many in one another.");
                    return Err(reading.wrong(message));
                }
                let condition = quantified(path, relation.target.filter, given, reading);
                reading.many -= 1;
                condition
            }
        };
    }
    match name {
        "and" => Ok(Condition::All(several::<E>(given, reading)?)),
        "or" => Ok(Condition::Any(several::<E>(given, reading)?)),
        "not" => Ok(Condition::Not(Box::new(read::<E>(given, reading)?))),
        _ => Err(reading.wrong(format!("A filter of {} has no such field.", E::MANY))),
    }
}

fn several<E: Entity>(given: GraphQLValue, reading: &mut Reading) -> Result<Vec<Condition>, Failure> {
    // One alone stands for a list of one, as everywhere in GraphQL.
    let list = if let GraphQLValue::List(list) = given { list } else { vec![given] };
    let mut conditions = Vec::with_capacity(list.len().min(MAX_CONDITIONS));
    for (number, given) in list.into_iter().enumerate() {
        reading.count()?;
        conditions.push(reading.under(&number.to_string(), |reading| read::<E>(given, reading))?);
    }
    Ok(conditions)
}

/// Reads what a filter asks of the rows at the other end of a relation to many.
fn quantified(
    path: Path,
    filter: fn(GraphQLValue, &mut Reading) -> Result<Condition, Failure>,
    given: GraphQLValue,
    reading: &mut Reading,
) -> Result<Condition, Failure> {
    let not = |condition| Box::new(Condition::Not(condition));
    let mut all = vec![];
    for (name, given) in reading.object(given)? {
        let condition = reading.under(&name, |reading| {
            if name != "count" {
                reading.count_related()?;
            }
            Ok(match name.as_str() {
                "some" => Condition::Related(path, Box::new(filter(given, reading)?)),
                "none" => {
                    Condition::Not(Box::new(Condition::Related(path, Box::new(filter(given, reading)?))))
                }
                "every" => {
                    let other = not(Box::new(filter(given, reading)?));
                    Condition::Not(Box::new(Condition::Related(path, other)))
                }
                "count" => Condition::All(counts(path, given, reading)?),
                _ => return Err(reading.wrong("Ask for `some`, `none`, `every` or `count`.")),
            })
        })?;
        all.push(condition);
    }
    Ok(Condition::All(all))
}

fn counts(path: Path, given: GraphQLValue, reading: &mut Reading) -> Result<Vec<Condition>, Failure> {
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
                    Ok(Condition::Counted(path, *comparison, number))
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
    reading: &mut Reading,
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
    reading: &mut Reading,
) -> Result<Condition, Failure> {
    let Shape { column, kind, .. } = shape;
    let wrong = |reading: &Reading, message| reading.wrong(message);
    let yes = |given, reading: &Reading| {
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

fn text(given: GraphQLValue, reading: &Reading) -> Result<String, Failure> {
    match Kind::Text.read(given).map_err(|message| reading.wrong(message))? {
        Value::Text(text) => Ok(text),
        _ => Err(reading.wrong("This is not text.")),
    }
}

fn list(shape: Shape, given: GraphQLValue, reading: &mut Reading) -> Result<Vec<Value>, Failure> {
    let list = if let GraphQLValue::List(list) = given { list } else { vec![given] };
    reading.list(list.len())?;
    let read = |(number, given): (usize, GraphQLValue)| {
        let number = number.to_string();
        reading.under(&number, |reading| shape.kind.read(given).map_err(|message| reading.wrong(message)))
    };
    list.into_iter().enumerate().map(read).collect()
}

impl<E: Entity> InputType for Where<E> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}Filter", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, describe::<E>)
    }

    fn parse(value: Option<GraphQLValue>) -> InputValueResult<Self> {
        let mut reading = Reading::at("where");
        let given = value.unwrap_or_default();
        let asked = if let GraphQLValue::Object(given) = &given { given.get("deletedAt") } else { None };
        let of_deleted = matches!(asked, Some(GraphQLValue::Object(operators)) if !operators.is_empty());
        let condition = read::<E>(given, &mut reading);
        let filter = condition.map(|condition| Filter { condition, needs: reading.needs, of_deleted });
        Ok(Self { filter, entity: PhantomData })
    }

    fn to_value(&self) -> GraphQLValue {
        // Filters are read and never written.
        GraphQLValue::Null
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

fn describe<E: Entity>(registry: &mut Registry) -> MetaType {
    let me = format!("{}Filter", E::NAME);
    let mut fields = vec![];
    for field in E::FIELDS {
        let operators = operator::describe(field.shape.kind, registry);
        let mut about = registry::about::<E>(registry, field.shape.name);
        if let Kind::Parts(key) = field.shape.kind {
            about = format!("{about} Here each is known by its `{key}`.");
        }
        fields.push(registry::input(field.shape.name, &operators, &about));
    }
    for relation in E::RELATIONS {
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
        E::MANY
    );
    registry::input_object_named(&me, &about, fields)
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
