use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{Enum, InputType, InputValueResult, Name, Value as GraphQLValue};
use diesel::{QueryResult, pg::Pg, query_builder::AstPass};
use tenancy::Failure;

use crate::{
    AnyEntity, Entity, Kind,
    any::to_one,
    entity::field,
    field::Shape,
    read::filter::Reading,
    registry::{self, MetaTypeId, Registry},
    relation::Way,
    sql::condition::{Path, name},
};

/// Which way a list runs.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(name = "OrderDirection")]
pub enum Direction {
    /// Smallest, earliest or first in the alphabet first; empty values last.
    Asc,
    /// Largest, latest or last in the alphabet first; empty values first.
    Desc,
}

impl Direction {
    /// As SQL says it. Nulls count as larger than every value: PostgreSQL's default, said aloud.
    pub(crate) fn sql(self, nullable: bool) -> &'static str {
        match self {
            Self::Asc if nullable => " ASC NULLS LAST",
            Self::Asc => " ASC",
            Self::Desc if nullable => " DESC NULLS FIRST",
            Self::Desc => " DESC",
        }
    }

    pub(crate) fn reversed(self, yes: bool) -> Self {
        match (self, yes) {
            (Self::Asc, true) => Self::Desc,
            (Self::Desc, true) => Self::Asc,
            (direction, false) => direction,
        }
    }
}

/// One key of an order, erased: what SQL and cursors need of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) shape: Shape,
    /// The relation whose field it is, if it is none of the rows' own.
    pub(crate) via: Option<Via>,
    pub(crate) direction: Direction,
}

/// A relation to one whose table is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Via {
    pub(crate) relation: &'static str,
    /// The GraphQL type at the other end.
    pub(crate) target: &'static str,
    pub(crate) path: Path,
}

impl Via {
    /// The relation of this name to the `target` whose id stands in our `column`.
    pub(crate) fn new(relation: &'static str, column: &'static str, target: AnyEntity) -> Self {
        let path = Path { table: target.table, ours: column, theirs: "id" };
        Self { relation, target: target.name, path }
    }

    /// What a statement calls the joined table.
    pub(crate) fn alias(self) -> String {
        format!("via_{}", self.relation)
    }

    /// Joins the related row to those of `table`, if it is there and not deleted.
    pub(crate) fn join(self, table: &str, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        let alias = self.alias();
        out.push_sql(" LEFT JOIN ");
        out.push_identifier(self.path.table)?;
        out.push_sql(" AS ");
        out.push_identifier(&alias)?;
        out.push_sql(" ON ");
        name(out, &alias, self.path.theirs)?;
        out.push_sql(" = ");
        name(out, table, self.path.ours)?;
        out.push_sql(" AND ");
        name(out, &alias, "deleted_at")?;
        out.push_sql(" IS NULL");
        Ok(())
    }
}

impl Key {
    /// The last key of every order, so that no two rows are equal.
    fn id(direction: Direction) -> Self {
        let shape = Shape { name: "id", column: "id", kind: Kind::Id(""), nullable: false };
        Self { shape, via: None, direction }
    }

    pub(crate) fn is_nullable(&self) -> bool {
        self.shape.nullable || self.via.is_some()
    }

    /// As orders and cursors name it: `name`, `company.name`.
    pub(crate) fn name(&self) -> String {
        match self.via {
            Some(via) => format!("{}.{}", via.relation, self.shape.name),
            None => self.shape.name.to_owned(),
        }
    }

    /// Its column, of the rows that the statement calls `table`.
    pub(crate) fn render(&self, table: &str, out: &mut AstPass<'_, '_, Pg>) -> QueryResult<()> {
        match self.via {
            Some(via) => name(out, &via.alias(), self.shape.column),
            None => name(out, table, self.shape.column),
        }
    }
}

/// `{name: ASC}` or `{company: {name: ASC}}`: one field to order by. What is wrong with it is said
/// where it is used.
pub struct OrderBy<E> {
    given: GraphQLValue,
    entity: PhantomData<fn() -> E>,
}

/// The keys of an order as asked.
pub(crate) fn keys<E: Entity>(asked: Vec<OrderBy<E>>, reading: &mut Reading) -> Result<Vec<Key>, Failure> {
    let read = |(number, order): (usize, OrderBy<E>)| {
        reading.under(&number.to_string(), |reading| key::<E>(order.given, reading))
    };
    asked.into_iter().enumerate().map(read).collect()
}

/// The complete order: what was asked, else newest first, and the id at the end.
pub(crate) fn complete<E: Entity>(mut keys: Vec<Key>) -> Vec<Key> {
    if keys.is_empty() {
        let newest = field::<E>("createdAt");
        keys.extend(newest.map(|field| Key { shape: field.shape, via: None, direction: Direction::Desc }));
    }
    let direction = keys.last().map_or(Direction::Asc, |key| key.direction);
    keys.push(Key::id(direction));
    keys
}

fn key<E: Entity>(given: GraphQLValue, reading: &mut Reading) -> Result<Key, Failure> {
    let (name, given) = only(given, reading)?;
    reading.under(&name, |reading| {
        if let Some(field) = field::<E>(&name).filter(|field| field.shape.kind.is_ordered()) {
            return Ok(Key { shape: field.shape, via: None, direction: direction(given, reading)? });
        }
        let Some((target, via)) = to_one::<E>(&name) else {
            return Err(reading.wrong(format!("{} cannot be ordered by this.", E::MANY)));
        };
        reading.needs(target.read);
        let (name, given) = only(given, reading)?;
        reading.under(&name, |reading| {
            let shape = (target.shape)(&name).filter(|shape| shape.kind.is_ordered());
            let wrong =
                || reading.wrong("An order reaches one relation far, and to fields that have an order.");
            let shape = shape.ok_or_else(wrong)?;
            Ok(Key { shape, via: Some(via), direction: direction(given, reading)? })
        })
    })
}

/// The one field of an object of which one field is to be given.
pub(crate) fn only(given: GraphQLValue, reading: &Reading) -> Result<(Name, GraphQLValue), Failure> {
    let mut fields = reading.object(given)?.into_iter();
    match (fields.next(), fields.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(reading.wrong("Name exactly one field in each item of the order.")),
    }
}

pub(crate) fn direction(given: GraphQLValue, reading: &Reading) -> Result<Direction, Failure> {
    Direction::parse(Some(given)).map_err(|_| reading.wrong("This is ASC or DESC."))
}

impl<E: Entity> InputType for OrderBy<E> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}OrderBy", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let direction = <Option<Direction> as InputType>::create_type_info(registry);
            let mut fields = vec![];
            for field in E::FIELDS.iter().filter(|field| field.shape.kind.is_ordered()) {
                let about = registry::about::<E>(registry, field.shape.name);
                fields.push(registry::input(field.shape.name, &direction, &about));
            }
            for relation in E::RELATIONS.iter().filter(|relation| matches!(relation.way, Way::One { .. })) {
                let theirs = format!("{}OrderBy", relation.target.name);
                fields.push(registry::input(relation.name, &theirs, relation.about));
            }
            let about =
                format!("One field to order {} by. Give several of these for several fields.", E::MANY);
            registry::input_object::<Self>(&about, fields)
        })
    }

    fn parse(value: Option<GraphQLValue>) -> InputValueResult<Self> {
        Ok(Self { given: value.unwrap_or_default(), entity: PhantomData })
    }

    fn to_value(&self) -> GraphQLValue {
        self.given.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
