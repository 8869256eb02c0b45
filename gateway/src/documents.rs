//! A cache of compiled documents, by their text: front ends send the same ones again and again.

use std::sync::Arc;

use moka::sync::Cache;
use request::{Document, Model, Refused};

/// How many bytes the kept documents may take in memory, as far as that can be estimated.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// The longest document that is kept; front ends send shorter ones.
const MAX_KEPT_TEXT: usize = 32 * 1024;

/// Reads documents for one schema, and keeps those that were seen lately.
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

    /// The compiled document of a text.
    ///
    /// # Errors
    /// Why it cannot be executed.
    pub(crate) fn get(&self, text: String) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.kept.get(&text) {
            return Ok(known);
        }
        let document = Arc::new(Document::parse(&self.model, &text)?);
        // A document with strings in it carries data of its user, a password perhaps, and seldom
        // comes again; front ends send variables.
        if text.len() <= MAX_KEPT_TEXT && !text.contains('"') {
            self.kept.insert(text, Arc::clone(&document));
        }
        Ok(document)
    }
}
