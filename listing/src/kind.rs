use std::hash::{Hash, Hasher};

use async_graphql::{ID, InputType, Json, OutputType, Value as GraphQLValue, resolver_utils::EnumType};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::AstPass,
    sql_types::{self as st, SqlType},
};
use uuid::Uuid;

use crate::{
    registry::Registry,
    scalar::{date::Date, decimal::Decimal, id::uuid_of, instant::Instant, long::Long},
    tidy::tidy,
    value::Value,
};

/// How deep JSON nests at most.
const MAX_JSON_DEPTH: usize = 100;
/// How far from zero its numbers lie at most: close to the end of what 64 bits hold serde_json does not
/// read its own numbers back.
const MAX_JSON_NUMBER: f64 = 1e300;
/// Keys that serde_json keeps for itself: it would read what stands under them as JSON.
const RESERVED_KEYS: &str = "$serde_json::private::";

const NOT_LONG: &str = "This is not a whole number of at most 53 bits.";
const OUT_OF_BOUNDS: &str = "This is out of bounds: years run from 1 to 9999, instants have microseconds, text has no character NUL, and \
                             JSON nests at most 100 levels.";

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `text`
    Text,
    /// `text` with one of the names of an enum
    Choice(Choice),
    /// `integer`
    Integer,
    /// `bigint` within 53 bits, or a count
    Long,
    /// `numeric`
    Decimal,
    /// `boolean`
    Boolean,
    /// `timestamptz`
    Instant,
    /// `date`
    Date,
    /// `uuid`, with what the ids of its type start with
    Id(&'static str),
    /// `text[]`
    Texts,
    /// `text[]` with names of an enum
    Choices(Choice),
    /// `jsonb`
    Json,
    /// `jsonb` with a list of parts
    Parts(Parts),
}

/// What an entity has several of, without its type: objects of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts {
    /// The GraphQL type: `EmailAddress`.
    pub(crate) name: &'static str,
    /// The field that a part is known by: `address`.
    pub(crate) key: &'static str,
    pub(crate) fields: &'static [PartField],
}

/// A field of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartField {
    pub(crate) name: &'static str,
    /// How its texts are compared, if not letter by letter.
    pub(crate) collation: Option<&'static str>,
}

impl PartField {
    /// The field of this name.
    pub const fn text(name: &'static str) -> Self {
        Self { name, collation: None }
    }

    /// A field whose texts are compared by this collation.
    pub const fn collated(name: &'static str, collation: &'static str) -> Self {
        Self { name, collation: Some(collation) }
    }
}

/// An enum, without its type.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub(crate) describe: fn(&mut Registry) -> String,
    pub(crate) items: fn() -> Vec<&'static str>,
}

impl Choice {
    pub(crate) const fn of<T: EnumType + InputType + OutputType>() -> Self {
        fn describe<T: InputType>(registry: &mut Registry) -> String {
            T::create_type_info(registry);
            T::type_name().into_owned()
        }
        fn items<T: EnumType>() -> Vec<&'static str> {
            T::items().iter().map(|item| item.name).collect()
        }
        Self { describe: describe::<T>, items: items::<T> }
    }

    /// The name that GraphQL gives.
    fn read(&self, given: GraphQLValue) -> Result<&'static str, String> {
        let name = match given {
            GraphQLValue::Enum(name) => name.to_string(),
            GraphQLValue::String(name) => name,
            _ => return Err("This is not a name of an enum.".to_owned()),
        };
        self.find(&name).ok_or_else(|| format!("There is no {name:?} to choose."))
    }

    /// The name as the database and GraphQL spell it, if it is one of the enum's.
    pub(crate) fn find(&self, name: &str) -> Option<&'static str> {
        (self.items)().into_iter().find(|item| *item == name)
    }
}

// Two enums with the same names compare and sort alike, and that is all an order needs to know.
impl PartialEq for Choice {
    fn eq(&self, other: &Self) -> bool {
        (self.items)() == (other.items)()
    }
}

impl Eq for Choice {}

impl Hash for Choice {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.items)().hash(state);
    }
}

impl Kind {
    /// Binds a value of this kind, or its absence.
    pub(crate) fn push<'b>(self, value: &'b Value, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if *value != Value::Null {
            return value.push(out);
        }
        match self {
            Self::Text | Self::Choice(_) => out.push_bind_param::<st::Nullable<st::Text>, _>(&None::<String>),
            Self::Integer => out.push_bind_param::<st::Nullable<st::Integer>, _>(&None::<i32>),
            Self::Long => out.push_bind_param::<st::Nullable<st::BigInt>, _>(&None::<i64>),
            Self::Decimal => out.push_bind_param::<st::Nullable<st::Numeric>, _>(&None::<Decimal>),
            Self::Boolean => out.push_bind_param::<st::Nullable<st::Bool>, _>(&None::<bool>),
            Self::Instant => out.push_bind_param::<st::Nullable<st::Timestamptz>, _>(&None::<DateTime<Utc>>),
            Self::Date => out.push_bind_param::<st::Nullable<st::Date>, _>(&None::<NaiveDate>),
            Self::Id(_) => out.push_bind_param::<st::Nullable<st::Uuid>, _>(&None::<Uuid>),
            Self::Texts | Self::Choices(_) => {
                out.push_bind_param::<st::Nullable<st::Array<st::Text>>, _>(&None::<Vec<String>>)
            }
            Self::Json | Self::Parts(_) => {
                out.push_bind_param::<st::Nullable<st::Jsonb>, _>(&None::<serde_json::Value>)
            }
        }
    }

    /// The GraphQL type of a value of this kind, never null.
    pub(crate) fn describe(self, registry: &mut Registry) -> String {
        match self {
            Self::Text => <String as InputType>::create_type_info(registry),
            Self::Choice(choice) => format!("{}!", (choice.describe)(registry)),
            Self::Integer => <i32 as InputType>::create_type_info(registry),
            Self::Long => <Long as InputType>::create_type_info(registry),
            Self::Decimal => <Decimal as InputType>::create_type_info(registry),
            Self::Boolean => <bool as InputType>::create_type_info(registry),
            Self::Instant => <Instant as InputType>::create_type_info(registry),
            Self::Date => <Date as InputType>::create_type_info(registry),
            Self::Id(_) => <ID as InputType>::create_type_info(registry),
            Self::Texts => <Vec<String> as InputType>::create_type_info(registry),
            Self::Choices(choice) => format!("[{}!]!", (choice.describe)(registry)),
            Self::Json | Self::Parts(_) => <Json<serde_json::Value> as InputType>::create_type_info(registry),
        }
    }

    /// A value of this kind as GraphQL gives it.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(crate) fn read(self, given: GraphQLValue) -> Result<Value, String> {
        fn typed<T: InputType>(given: GraphQLValue, expected: &str) -> Result<T, String> {
            T::parse(Some(given)).map_err(|_| format!("This is not {expected}."))
        }
        let value = match self {
            Self::Text => Value::Text(typed(given, "text")?),
            Self::Choice(choice) => choice.read(given)?.into(),
            Self::Integer => Value::Integer(typed(given, "a whole number of 32 bits")?),
            Self::Long => Value::Long(typed::<Long>(given, "a whole number of at most 53 bits")?.0),
            Self::Decimal => {
                let expected =
                    "a decimal number as a string, such as \"12.50\"; a number with a point is not exact";
                Value::Decimal(typed(given, expected)?)
            }
            Self::Boolean => Value::Boolean(typed(given, "true or false")?),
            Self::Instant => {
                let expected = "an instant such as \"2030-12-31T23:59:59Z\"";
                Value::Instant(typed::<Instant>(given, expected)?.0)
            }
            Self::Date => Value::Date(typed::<Date>(given, "a day such as \"2030-12-31\"")?.0),
            Self::Id(prefix) => {
                let text: String = typed(given, "an id")?;
                let (found, uuid) = uuid_of(&text)?;
                if found != prefix {
                    return Err(format!("{text:?} is of another type: the ids here start with {prefix:?}."));
                }
                Value::Uuid(uuid)
            }
            Self::Texts => Value::Texts(typed(given, "a list of texts")?),
            Self::Choices(choice) => {
                let names = if let GraphQLValue::List(names) = given { names } else { vec![given] };
                let names = names.into_iter().map(|name| choice.read(name).map(str::to_owned));
                Value::Texts(names.collect::<Result<_, _>>()?)
            }
            Self::Json | Self::Parts(_) => Value::Json(given.into_json().map_err(|error| error.to_string())?),
        };
        if self.holds(&value, false) { Ok(value) } else { Err(OUT_OF_BOUNDS.to_owned()) }
    }

    /// A value of this kind as a cell of a CSV spells it.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(crate) fn read_text(self, cell: &str) -> Result<Value, String> {
        match self {
            Self::Choice(_) => self.read(GraphQLValue::String(cell.to_uppercase())),
            Self::Integer => {
                cell.parse().map(Value::Integer).map_err(|_| "This is not a whole number.".to_owned())
            }
            Self::Long => {
                let number = cell.parse().ok().and_then(Long::new);
                number.map(|Long(number)| Value::Long(number)).ok_or_else(|| NOT_LONG.to_owned())
            }
            Self::Boolean => match cell.to_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Value::Boolean(true)),
                "false" | "no" | "0" => Ok(Value::Boolean(false)),
                _ => Err("This is neither true nor false.".to_owned()),
            },
            Self::Texts => Ok(Value::Texts(several(cell))),
            Self::Choices(_) => {
                let names = several(cell).into_iter().map(|name| GraphQLValue::String(name.to_uppercase()));
                self.read(GraphQLValue::List(names.collect()))
            }
            // As an export writes parts of which there is more to say.
            Self::Parts(_) if cell.starts_with('[') => json(cell),
            Self::Parts(Parts { key, .. }) => {
                let part = |text: String| serde_json::json!({ key: text });
                Ok(Value::Json(several(cell).into_iter().map(part).collect()))
            }
            Self::Decimal => self.read(GraphQLValue::String(cell.to_owned())).map_err(|_| {
                "This is not a decimal number such as 1234.50: write a point before the decimals, and nothing \
                 between thousands."
                    .to_owned()
            }),
            Self::Json => json(cell),
            _ => self.read(GraphQLValue::String(cell.to_owned())),
        }
    }

    /// Whether a column of this kind can hold the value.
    pub(crate) fn holds(self, value: &Value, nullable: bool) -> bool {
        match value {
            Value::Null => nullable,
            Value::Text(text) => matches!(self, Self::Text | Self::Choice(_)) && !text.contains('\0'),
            Value::Integer(_) => self == Self::Integer,
            Value::Long(number) => self == Self::Long && Long::new(*number).is_some(),
            Value::Decimal(_) => self == Self::Decimal,
            Value::Boolean(_) => self == Self::Boolean,
            // Beyond these years PostgreSQL and RFC 3339 part ways.
            // What is finer than a microsecond PostgreSQL would cut off, and compare with less.
            Value::Instant(at) => {
                self == Self::Instant
                    && (1..=9999).contains(&at.year())
                    && at.timestamp_subsec_nanos() % 1000 == 0
            }
            Value::Date(day) => self == Self::Date && (1..=9999).contains(&day.year()),
            Value::Uuid(_) => matches!(self, Self::Id(_)),
            Value::Texts(texts) => {
                matches!(self, Self::Texts | Self::Choices(_))
                    && !texts.iter().any(|text| text.contains('\0'))
            }
            Value::Json(json) => {
                matches!(self, Self::Json | Self::Parts(_)) && storable(json, MAX_JSON_DEPTH)
            }
        }
    }

    /// Whether more and less mean something.
    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Self::Texts | Self::Choices(_) | Self::Json | Self::Parts(_))
    }

    /// Whether it is answered as it is, without a selection of its fields.
    pub(crate) fn is_leaf(self) -> bool {
        !matches!(self, Self::Parts(_))
    }

    /// Whether adding up means something.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Long | Self::Decimal)
    }

    /// Whether it can be cut into days, months and years.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Instant | Self::Date)
    }
}

/// Whether PostgreSQL takes this JSON, and we can read it back: serde_json gives up at 128 levels.
fn storable(json: &serde_json::Value, depth: usize) -> bool {
    match json {
        serde_json::Value::String(text) => !text.contains('\0'),
        serde_json::Value::Array(items) => depth > 0 && items.iter().all(|item| storable(item, depth - 1)),
        serde_json::Value::Object(fields) => {
            let of_ours = |name: &str| !name.contains('\0') && !name.starts_with(RESERVED_KEYS);
            depth > 0 && fields.iter().all(|(name, value)| of_ours(name) && storable(value, depth - 1))
        }
        serde_json::Value::Number(number) => {
            number.as_f64().is_some_and(|number| number.abs() <= MAX_JSON_NUMBER)
        }
        _ => true,
    }
}

/// Reads JSON from a cell. A number that 64 bits do not hold is refused: it would lose digits.
fn json(cell: &str) -> Result<Value, String> {
    let value = serde_json::from_str(cell).map_err(|_| "This is not JSON.".to_owned())?;
    if let Some(number) = numbers(cell).find(|number| !is_exact(number)) {
        let number: String = number.chars().take(50).collect();
        return Err(format!("The number {number} would lose digits: write it as text, in quotes."));
    }
    if storable(&value, MAX_JSON_DEPTH) { Ok(Value::Json(value)) } else { Err(OUT_OF_BOUNDS.to_owned()) }
}

/// The numbers in a valid JSON text.
fn numbers(json: &str) -> impl Iterator<Item = &str> {
    // What stands between quotes is text; a quote inside it has a backslash before it.
    let mut is_text = false;
    let mut escaped = false;
    json.split(move |character: char| {
        let was_text = is_text;
        match character {
            _ if escaped => escaped = false,
            '\\' if is_text => escaped = true,
            '"' => is_text = !is_text,
            _ => {}
        }
        was_text || !(character.is_ascii_digit() || matches!(character, '-' | '+' | '.' | 'e' | 'E'))
    })
    .filter(|part| part.contains(|character: char| character.is_ascii_digit()))
}

/// Whether a number is answered with the value that it has.
fn is_exact(number: &str) -> bool {
    let read = serde_json::from_str::<serde_json::Number>(number).map(|number| number.to_string());
    let exact = |text: &str| text.parse::<bigdecimal::BigDecimal>().ok();
    read.is_ok_and(|read| exact(&read).is_some() && exact(&read) == exact(number))
}

/// Several texts in one cell, with semicolons between them. One that belongs to a text has a
/// backslash before it, and so has a backslash.
pub(crate) fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(';', "\\;");
    texts.into_iter().map(escaped).collect::<Vec<_>>().join("; ")
}

/// The texts that stand in a cell as [`joined`] puts them there, or a person did: a backslash before
/// anything else stands for itself.
fn several(cell: &str) -> Vec<String> {
    let (mut texts, mut text) = (vec![], String::new());
    let mut letters = cell.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ';' => texts.push(std::mem::take(&mut text)),
            '\\' => text.push(letters.next_if(|next| matches!(next, ';' | '\\')).unwrap_or(letter)),
            _ => text.push(letter),
        }
    }
    texts.push(text);
    texts.into_iter().map(|text| tidy(&text).to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Ties a column's SQL type to the kind of its values, at compile time.
pub trait ColumnKind: SqlType {
    /// The kind.
    const KIND: Kind;
    /// Whether the column may be null.
    const NULLABLE: bool = false;
}

impl ColumnKind for st::Text {
    const KIND: Kind = Kind::Text;
}
impl ColumnKind for st::Integer {
    const KIND: Kind = Kind::Integer;
}
impl ColumnKind for st::BigInt {
    const KIND: Kind = Kind::Long;
}
impl ColumnKind for st::Numeric {
    const KIND: Kind = Kind::Decimal;
}
impl ColumnKind for st::Bool {
    const KIND: Kind = Kind::Boolean;
}
impl ColumnKind for st::Timestamptz {
    const KIND: Kind = Kind::Instant;
}
impl ColumnKind for st::Date {
    const KIND: Kind = Kind::Date;
}
impl ColumnKind for st::Array<st::Text> {
    const KIND: Kind = Kind::Texts;
}
impl ColumnKind for st::Jsonb {
    const KIND: Kind = Kind::Json;
}
impl<T: ColumnKind<IsNull = st::is_nullable::NotNull>> ColumnKind for st::Nullable<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_json_keep_their_digits_or_are_refused() {
        for good in [
            "{\"a\": [0.1, -2, 1e3, 12.50, 9007199254740993], \"1.00000000000000000001\": \"2e999\"}",
            "[]",
            "1",
        ] {
            assert!(json(good).is_ok(), "{good}");
        }
        for bad in
            ["12345678901234567890123", "{\"a\": 0.12345678901234567890123}", "[1, 2.00000000000000000001]"]
        {
            let message = json(bad).unwrap_err();
            assert!(message.contains("would lose digits"), "{bad}: {message}");
        }
        assert_eq!(json("{\"a\": 1").unwrap_err(), "This is not JSON.");
    }
}
