//! Makes values of GraphQL: of JSON, counting them while it is read, and of literals.

use std::fmt;

use apollo_compiler::ast;
use async_graphql::{Name, Value, indexmap::IndexMap};
use async_graphql_value::Value as LibraryValue;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use serde_json::Number;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::limit::{Exceeded, VARIABLE_DEPTH, VARIABLE_NODES};

/// Counts the values of one request body as they are read, so that a body costs no more memory
/// than the limits allow.
#[derive(Default)]
pub(crate) struct Counter {
    nodes: usize,
    /// The limit that ended the reading, which the error of the JSON library cannot carry.
    pub(crate) exceeded: Option<Exceeded>,
}

/// Reads one value at this depth of nesting.
pub(crate) struct Counted<'c> {
    pub(crate) counter: &'c mut Counter,
    pub(crate) depth: usize,
}

impl Counted<'_> {
    fn check<E: Error>(&mut self, checked: Result<(), Exceeded>) -> Result<(), E> {
        checked.map_err(|exceeded| {
            self.counter.exceeded = Some(exceeded);
            E::custom(exceeded)
        })
    }

    fn below(&mut self) -> Counted<'_> {
        Counted { counter: self.counter, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Value, D::Error> {
        self.counter.nodes += 1;
        let counted = VARIABLE_NODES.check(self.counter.nodes);
        self.check(counted)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(composed(value.to_owned()).into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(composed(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let shallow = VARIABLE_DEPTH.check(self.depth);
        self.check(shallow)?;
        let mut list = vec![];
        while let Some(item) = items.next_element_seed(self.below())? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Value, A::Error> {
        let shallow = VARIABLE_DEPTH.check(self.depth);
        self.check(shallow)?;
        let mut object = IndexMap::new();
        while let Some(key) = fields.next_key::<String>()? {
            object.insert(Name::new(composed(key)), fields.next_value_seed(self.below())?);
        }
        Ok(Value::Object(object))
    }
}

/// A text with its accents composed (NFC), so that equal texts have equal letters, whatever keyboard they
/// come from.
fn composed(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// A value of JSON, bounded and read as a variable is.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn value_of_json(text: &str) -> Result<Value, String> {
    let mut counter = Counter::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Counted { counter: &mut counter, depth: 0 }.deserialize(&mut json);
    let value = read.and_then(|value| json.end().map(|()| value));
    value.map_err(|error| match counter.exceeded {
        Some(exceeded) => exceeded.to_string(),
        None => format!("This is not JSON: {error}."),
    })
}

/// A literal of the document, with its variables.
pub(crate) fn literal(value: &ast::Value) -> LibraryValue {
    match value {
        ast::Value::Variable(name) => LibraryValue::Variable(Name::new(name)),
        ast::Value::Null => LibraryValue::Null,
        ast::Value::Enum(name) => LibraryValue::Enum(Name::new(name)),
        ast::Value::String(text) => LibraryValue::String(composed(text.clone())),
        ast::Value::Boolean(yes) => LibraryValue::Boolean(*yes),
        ast::Value::Int(number) => number_of(number.as_str()),
        ast::Value::Float(number) => number_of(number.as_str()),
        ast::Value::List(items) => LibraryValue::List(items.iter().map(|item| literal(item)).collect()),
        ast::Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (Name::new(name), literal(value)));
            LibraryValue::Object(fields.collect())
        }
    }
}

/// A literal without variables, such as a default.
pub(crate) fn constant(value: &ast::Value) -> Value {
    literal(value).into_const().unwrap_or_default()
}

/// A number as the document writes it; one that is too large for a floating-point number stays text.
fn number_of(text: &str) -> LibraryValue {
    // JSON's -0 is a floating-point number, GraphQL's an integer.
    let text = if text == "-0" { "0" } else { text };
    match text.parse::<Number>() {
        Ok(number) => LibraryValue::Number(number),
        Err(_) => LibraryValue::String(text.to_owned()),
    }
}
