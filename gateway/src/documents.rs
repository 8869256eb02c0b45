//! A cache of compiled documents by their text: front ends send the same documents repeatedly.

use std::sync::Arc;

use moka::sync::Cache;
use request::{Document, Model, Refused};

/// The estimated memory that cached documents may use, in bytes.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// The longest document that is cached; those of front ends are shorter.
const MAX_KEPT_TEXT: usize = 32 * 1024;

/// Compiles documents for one schema and caches the most recent.
#[derive(Clone)]
pub(crate) struct Documents {
    pub(crate) model: Arc<Model>,
    kept: Cache<String, Arc<Document>>,
}

impl Documents {
    pub(crate) fn new(model: Model) -> Self {
        let weigh =
            |text: &String, document: &Arc<Document>| u32::try_from(document.bytes(text)).unwrap_or(u32::MAX);
        let kept = Cache::builder().weigher(weigh).max_capacity(MAX_KEPT).build();
        Self { model: Arc::new(model), kept }
    }

    /// Returns the compiled document, from the cache if possible.
    ///
    /// # Errors
    /// The errors of parsing and validation.
    pub(crate) fn get(&self, text: String) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.kept.get(&text) {
            return Ok(known);
        }
        let document = Arc::new(Document::parse(&self.model, &text)?);
        // A document with string literals contains data of a user, perhaps a password, and is rarely
        // repeated; front ends use variables.
        if text.len() <= MAX_KEPT_TEXT && !text.contains('"') {
            self.kept.insert(text, Arc::clone(&document));
        }
        Ok(document)
    }
}
