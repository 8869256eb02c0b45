//! Caches of compiled documents and of what the schema answers about itself, by the document's text:
//! front ends and explorers send the same ones again and again.

use std::sync::Arc;

use async_graphql::Value;
use axum::body::Bytes;
use moka::sync::Cache;
use request::{Document, Model, Refused};

/// How many bytes the kept documents may take in memory, as far as that can be estimated.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// The longest document that is kept; front ends send shorter ones.
const MAX_KEPT_TEXT: usize = 32 * 1024;

/// How many bytes the kept answers about the schema may take. One to the query of an explorer has half
/// a megabyte.
const MAX_INTROSPECTIONS: u64 = 16 * 1024 * 1024;

/// Reads documents for one schema, and keeps those that were seen lately.
#[derive(Clone)]
pub(crate) struct Documents {
    pub(crate) model: Arc<Model>,
    kept: Cache<String, Arc<Document>>,
    pub(crate) introspections: Introspections,
}

/// What the schema answers about itself, by the operation that asks.
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

    /// The compiled document of a text.
    ///
    /// # Errors
    /// Why it cannot be executed.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.kept.get(text) {
            return Ok(known);
        }
        let document = Arc::new(Document::parse(&self.model, text)?);
        // A document with strings in it carries data of its user, a password perhaps, and seldom
        // comes again; front ends send variables.
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

    /// What this operation was answered before.
    pub(crate) fn get(&self, key: &OperationKey) -> Option<Value> {
        self.0.get(key).map(Value::Binary)
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, key: OperationKey, answer: &Value) {
        if let Ok(json) = listing::to_json(answer) {
            self.0.insert(key, json.into());
        }
    }
}
