use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{Enum, InputType, InputValueError, InputValueResult, Name, Value as GraphQLValue};

use crate::{
    Entity, Field,
    registry::{self, MetaTypeId, Registry},
    value::Kind,
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

/// One key of an order, erased: what SQL and cursors need of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) column: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) direction: Direction,
}

/// `{name: ASC}`: one field of an entity to order by.
pub struct OrderBy<E> {
    pub(crate) key: Key,
    entity: PhantomData<fn() -> E>,
}

impl Key {
    fn of<E: Entity>(field: &Field<E>, direction: Direction) -> Self {
        let Field { name, column, kind, nullable, .. } = *field;
        Self { name, column, kind, nullable, direction }
    }

    /// The last key of every order, so that no two rows are equal.
    fn id(direction: Direction) -> Self {
        Self { name: "id", column: "id", kind: Kind::Uuid, nullable: false, direction }
    }
}

/// The complete order: what was asked, else newest first, and the id at the end.
pub(crate) fn complete<E: Entity>(asked: Vec<OrderBy<E>>) -> Vec<Key> {
    let mut keys: Vec<Key> = asked.into_iter().map(|order| order.key).collect();
    if keys.is_empty() {
        let newest = E::FIELDS.iter().find(|field| field.name == "createdAt");
        keys.extend(newest.map(|field| Key::of(field, Direction::Desc)));
    }
    let direction = keys.last().map_or(Direction::Asc, |key| key.direction);
    keys.push(Key::id(direction));
    keys
}

impl<E: Entity> InputType for OrderBy<E> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        format!("{}OrderBy", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let direction = <Option<Direction> as InputType>::create_type_info(registry);
            let fields = E::FIELDS.iter().map(|field| registry::input(field.name, &direction, field.about));
            let about =
                format!("One field to order {} by. Give several of these for several fields.", E::MANY);
            registry::input_object::<Self>(&about, fields)
        })
    }

    fn parse(value: Option<GraphQLValue>) -> InputValueResult<Self> {
        let Some(GraphQLValue::Object(object)) = value else {
            return Err(InputValueError::expected_type(value.unwrap_or_default()));
        };
        let mut given = object.into_iter().filter(|(_, value)| *value != GraphQLValue::Null);
        let (Some((name, value)), None) = (given.next(), given.next()) else {
            return Err(InputValueError::custom("name exactly one field in each item of the order"));
        };
        let field = E::FIELDS.iter().find(|field| field.name == name.as_str());
        let field =
            field.ok_or_else(|| InputValueError::custom(format!("{name} is not a field to order by")))?;
        let direction: Direction = InputType::parse(Some(value)).map_err(InputValueError::propagate)?;
        Ok(Self { key: Key::of(field, direction), entity: PhantomData })
    }

    fn to_value(&self) -> GraphQLValue {
        let direction = InputType::to_value(&self.key.direction);
        GraphQLValue::Object([(Name::new(self.key.name), direction)].into_iter().collect())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
