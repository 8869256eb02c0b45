//! Answers of lists, written as JSON straight from the values of their rows.
//!
//! The library's tree of values costs a hash table for each row, and is walked three times before it
//! is sent. What is written here it carries as one leaf, and [`to_json`] puts it into the answer.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_graphql::{Context, ContextBase, Positioned, Value as GraphQLValue, parser::types::Field};
use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};
use tenancy::{Failure, Refusal};

use crate::{
    kind::Kind,
    scalar::{id::text_of, instant::Instant},
    value::Value,
};

/// How many bytes the lists of one request answer together.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// How many bytes of a request's answers may be values of the library: there they take up to ninety
/// times as much memory (measured with lists of small JSON).
const MAX_VALUES: usize = 8 * 1024 * 1024;

/// How much one request may answer, and how much it has answered so far.
pub struct ResponseBudget {
    /// Whether the operation asks for an object or a list in several places: the library then puts
    /// the answers together, for which it needs them as its own values.
    repeats: bool,
    bytes: AtomicUsize,
    /// How many of them are values of the library.
    values: AtomicUsize,
}

impl ResponseBudget {
    /// Of a request that has just begun.
    #[must_use]
    pub fn new(repeats: bool) -> Self {
        Self { repeats, bytes: AtomicUsize::new(0), values: AtomicUsize::new(0) }
    }

    /// Whether what is written becomes values of the library again, which ask objects for their type.
    pub(crate) fn become_values<T>(ctx: &ContextBase<'_, T>) -> bool {
        ctx.data_opt::<Self>().is_some_and(|budget| budget.repeats)
    }

    /// Those of this request, unless they are too long already.
    pub(crate) fn of<'c>(ctx: &Context<'c>) -> Result<&'c Self, Failure> {
        let budget: &Self = ctx.data().map_err(|error| Failure::internal(error.message))?;
        within(budget.bytes.load(Ordering::Relaxed))?;
        budget.add_values(0)?;
        Ok(budget)
    }

    /// What was written, as the library takes it. Where the library has answered a part of it, it is
    /// given back as the library's own values: their keys have yet to be put into order.
    pub(crate) fn finish(&self, json: Json, resolved: bool) -> Result<GraphQLValue, Failure> {
        within(json.len())?;
        let own = json.len().saturating_sub(json.counted);
        within(self.bytes.fetch_add(own, Ordering::Relaxed) + own)?;
        if self.repeats || resolved {
            self.add_values(json.len())?;
            return serde_json::from_slice(&json.bytes).map_err(Failure::internal);
        }
        Ok(GraphQLValue::Binary(json.bytes.into()))
    }

    /// Counts what the library has answered of one entity.
    pub(crate) fn count(&self, answer: &GraphQLValue) -> Result<(), Failure> {
        self.add_values(values_in(answer))
    }

    fn add_values(&self, bytes: usize) -> Result<(), Failure> {
        let found = self.values.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if found > MAX_VALUES {
            let most = MAX_VALUES / 1024 / 1024;
            let message = format!(
                "Objects by their ids, objects that are asked for in several places, and fields that lists do \
                 not know themselves are answered up to {most} MiB: ask for less, or in lists and once."
            );
            let (limit, most) = ("VALUE_BYTES", MAX_VALUES);
            return Err(Refusal::CostExceeded { message, limit, most, found }.into());
        }
        Ok(())
    }
}

/// Passes if an answer may have so many bytes.
pub(crate) fn within(bytes: usize) -> Result<(), Failure> {
    if bytes > MAX_ANSWER {
        let most = MAX_ANSWER / 1024 / 1024;
        let message = format!("The answer would be longer than {most} MiB: ask for fewer rows or fields.");
        let (limit, most) = ("ANSWER_BYTES", MAX_ANSWER);
        return Err(Refusal::CostExceeded { message, limit, most, found: bytes }.into());
    }
    Ok(())
}

/// An answer as JSON, with what lists have written.
///
/// # Errors
/// None that an answer of GraphQL can have.
pub fn to_json(answer: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut json = Json::default();
    json.serialize(answer)?;
    Ok(json.bytes)
}

/// Writes bytes as they are. Nothing else in an answer is bytes.
struct Verbatim;

impl Formatter for Verbatim {
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, bytes: &[u8]) -> io::Result<()> {
        writer.write_all(bytes)
    }
}

/// The key of a field with its colon, as JSON spells it.
pub(crate) struct Key(String);

impl Key {
    /// Under which this field is answered.
    pub(crate) fn of(field: &Positioned<Field>) -> Self {
        // Names of GraphQL have no letters that JSON would escape.
        Self(format!("\"{}\":", field.node.response_key().node))
    }
}

/// JSON that is being written. One that is too long is not written to its end: [`within`] refuses it.
#[derive(Default)]
pub(crate) struct Json {
    bytes: Vec<u8>,
    /// How many of them lists have counted before.
    counted: usize,
}

impl Json {
    /// How many bytes have been written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What has been written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// An object of these parts.
    pub(crate) fn object<P>(&mut self, parts: &[(Key, P)], mut write: impl FnMut(&mut Self, &P)) {
        self.several(b'{', parts, b'}', |json, (key, part)| {
            json.bytes.extend_from_slice(key.0.as_bytes());
            write(json, part);
        });
    }

    /// A list of these items.
    pub(crate) fn list<T>(&mut self, items: impl IntoIterator<Item = T>, write: impl FnMut(&mut Self, T)) {
        self.several(b'[', items, b']', write);
    }

    fn several<T>(
        &mut self,
        open: u8,
        items: impl IntoIterator<Item = T>,
        close: u8,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.bytes.push(open);
        for (at, item) in items.into_iter().enumerate() {
            if self.len() > MAX_ANSWER {
                return;
            }
            if at > 0 {
                self.bytes.push(b',');
            }
            write(self, item);
        }
        self.bytes.push(close);
    }

    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(b"null");
    }

    /// What has been written elsewhere.
    pub(crate) fn written(&mut self, json: &Self) {
        self.bytes.extend_from_slice(&json.bytes);
    }

    /// What a resolver answered.
    pub(crate) fn answered(&mut self, answer: &GraphQLValue) {
        self.counted += lists_in(answer);
        self.plain(answer);
    }

    /// Text, a number, or yes or no.
    pub(crate) fn plain(&mut self, value: impl Serialize) {
        // Writing into memory does not fail, and no value of a row or an answer does: their maps have
        // texts for keys.
        let _ = self.serialize(&value);
    }

    fn serialize(&mut self, value: &impl Serialize) -> serde_json::Result<()> {
        value.serialize(&mut Serializer::with_formatter(&mut self.bytes, Verbatim))
    }

    /// A value of this kind as GraphQL answers it.
    pub(crate) fn value(&mut self, kind: Kind, value: &Value) {
        match (kind, value) {
            (_, Value::Null) => self.null(),
            (Kind::Id(prefix), Value::Uuid(id)) => self.unescaped(&text_of(prefix, *id)),
            // A sum of whole numbers is answered as an exact number: it may be longer than any of them.
            (Kind::Decimal, Value::Long(sum)) => self.unescaped(&sum.to_string()),
            (_, Value::Text(text)) => self.plain(text),
            (_, Value::Integer(number)) => self.plain(number),
            (_, Value::Long(number)) => self.plain(number),
            (_, Value::Decimal(number)) => self.unescaped(&number.to_string()),
            (_, Value::Boolean(yes)) => self.plain(yes),
            (_, Value::Instant(at)) => self.unescaped(&Instant(*at).text()),
            (_, Value::Date(day)) => self.unescaped(&day.to_string()),
            (_, Value::Uuid(id)) => self.unescaped(&id.to_string()),
            (_, Value::Texts(texts)) => self.plain(texts),
            (_, Value::Json(json)) => self.plain(json),
        }
    }

    /// A value of this kind as a document of GraphQL spells it.
    pub(crate) fn literal(kind: Kind, value: &Value) -> String {
        if let (Kind::Choice(_), Value::Text(name)) = (kind, value) {
            return name.clone();
        }
        let mut json = Self::default();
        json.value(kind, value);
        String::from_utf8_lossy(&json.bytes).into_owned()
    }

    /// Text without letters that JSON would escape.
    fn unescaped(&mut self, text: &str) {
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
    }
}

/// How many bytes an answer of the library has, but for what lists have written into it.
fn values_in(answer: &GraphQLValue) -> usize {
    match answer {
        GraphQLValue::String(text) => text.len() + 2,
        GraphQLValue::List(items) => items.iter().map(|item| values_in(item) + 1).sum(),
        GraphQLValue::Object(fields) => {
            fields.iter().map(|(key, field)| key.len() + values_in(field) + 4).sum()
        }
        GraphQLValue::Binary(_) => 0,
        _ => 4,
    }
}

/// How many bytes lists have written into an answer of the library.
fn lists_in(answer: &GraphQLValue) -> usize {
    match answer {
        GraphQLValue::Binary(json) => json.len(),
        GraphQLValue::List(items) => items.iter().map(lists_in).sum(),
        GraphQLValue::Object(fields) => fields.values().map(lists_in).sum(),
        _ => 0,
    }
}
