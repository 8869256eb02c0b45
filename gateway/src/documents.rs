//! Caches of compiled documents and of what the schema answers about itself, by the document's text:
//! front ends and explorers send the same documents repeatedly.

use std::sync::Arc;

use async_graphql::Value;
use axum::body::Bytes;
use moka::sync::Cache;
use request::{Document, Model, Refused};

/// The estimated memory that cached documents may use, in bytes.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// The longest document that is cached; those of front ends are shorter.
const MAX_KEPT_TEXT: usize = 32 * 1024;

/// The memory that cached introspection responses may use, in bytes. The response to an explorer has half
/// a megabyte.
const MAX_INTROSPECTIONS: u64 = 16 * 1024 * 1024;

/// Compiles documents for one schema and caches the most recent.
#[derive(Clone)]
pub(crate) struct Documents {
    pub(crate) model: Arc<Model>,
    kept: Cache<String, Arc<Document>>,
    pub(crate) introspections: Introspections,
}

/// Cached introspection responses, by operation.
#[derive(Clone)]
pub(crate) struct Introspections(Cache<OperationKey, Bytes>);

/// The text of a document, and the name of one of its operations.
type OperationKey = (String, Option<String>);

impl Documents {
    pub(crate) fn new(model: Model) -> Self {
        let weigh =
            |text: &String, document: &Arc<Document>| u32::try_from(document.bytes(text)).unwrap_or(u32::MAX);
        let kept = Cache::builder().weigher(weigh).max_capacity(MAX_KEPT).build();
        Self { model: Arc::new(model), kept, introspections: Introspections::new() }
    }

    /// Returns the compiled document, from the cache if possible.
    ///
    /// # Errors
    /// The errors of parsing and validation.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.kept.get(text) {
            return Ok(known);
        }
        let document = Arc::new(Document::parse(&self.model, text)?);
        // A document with string literals contains data of a user, perhaps a password, and is rarely
        // repeated; front ends use variables.
        if text.len() <= MAX_KEPT_TEXT && !text.contains('"') {
            self.kept.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }
}

impl Introspections {
    fn new() -> Self {
        let weigh = |(text, _): &OperationKey, answer: &Bytes| {
            u32::try_from(text.len() + answer.len()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(MAX_INTROSPECTIONS).build())
    }

    /// The cached response of an operation.
    pub(crate) fn get(&self, key: &OperationKey) -> Option<Value> {
        self.0.get(key).map(Value::Binary)
    }

    /// Caches a response.
    pub(crate) fn keep(&self, key: OperationKey, answer: &Value) {
        if let Ok(json) = listing::to_json(answer) {
            self.0.insert(key, json.into());
        }
    }
}
