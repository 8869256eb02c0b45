//! Documents that clients send again and again: parsed once, and answered in their own order.

use std::sync::Arc;

use async_graphql::{
    Name, PathSegment, Response, ServerError, Value,
    indexmap::IndexMap,
    parser::{
        parse_query,
        types::{ExecutableDocument, Selection, SelectionSet},
    },
};
use moka::sync::Cache;

/// How many bytes the kept documents take in memory, as far as it can be estimated.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// How many bytes a parsed document and its plan take for each byte of its text (measured: 50).
const BYTES_PER_BYTE: usize = 64;
/// The longest document that is kept; front ends send shorter ones.
const MAX_DOCUMENT: usize = 32 * 1024;
/// How many selections a plan walks. Fragments may spread each other in a circle, or double at each
/// step; validation refuses that, but only later.
const MAX_SELECTIONS: usize = 20_000;
/// How deep a plan goes, fragments included.
const MAX_DEPTH: usize = 100;

/// The documents seen lately.
#[derive(Clone)]
pub(crate) struct Documents(Cache<String, Arc<Document>>);

/// A parsed document and the plans of its answers, one for each operation.
pub(crate) struct Document {
    executable: ExecutableDocument,
    plans: Vec<(Option<Name>, Arc<Plan>)>,
}

/// In which order an object's keys are answered, and those of the objects below.
///
/// async-graphql 7.2 answers fields in the order in which they are done, and leaves out those that
/// failed. The specification wants the order of the document, and null.
#[derive(Default, Debug)]
pub(crate) struct Plan(IndexMap<Name, Plan>);

impl Documents {
    pub(crate) fn new() -> Self {
        let weigh = |text: &String, _: &Arc<Document>| {
            u32::try_from(text.len().saturating_mul(BYTES_PER_BYTE)).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(MAX_KEPT).build())
    }

    /// The parsed document.
    ///
    /// # Errors
    /// What execution would say of one that is no GraphQL, and that one is too large to plan for.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Document>, Unusable> {
        match self.0.get(text) {
            Some(known) => Ok(known),
            None => Document::parse(text).map(Arc::new),
        }
    }

    /// Keeps a document that has passed validation.
    pub(crate) fn keep(&self, text: String, document: Arc<Document>) {
        // A document with strings in it carries somebody's data, a password perhaps, and seldom
        // comes again; front ends send variables.
        if text.len() <= MAX_DOCUMENT && !text.contains('"') && !self.0.contains_key(&text) {
            self.0.insert(text, document);
        }
    }
}

/// Why a document cannot be executed.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It is no GraphQL.
    Malformed(ServerError),
    /// It selects more than a plan may hold.
    TooLarge,
}

impl From<Unusable> for ServerError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Malformed(error) => error,
            // As async-graphql says it, so that both get one code.
            Unusable::TooLarge => Self::new("Query is too complex.", None),
        }
    }
}

impl Document {
    fn parse(text: &str) -> Result<Self, Unusable> {
        let executable = parse_query(text).map_err(|error| Unusable::Malformed(error.into()))?;
        let mut budget = MAX_SELECTIONS;
        let mut plans = Vec::new();
        for (name, operation) in executable.operations.iter() {
            let mut plan = Plan::default();
            plan.add(&operation.node.selection_set.node, &executable, &mut budget, 0).ok_or(Unusable::TooLarge)?;
            plans.push((name.cloned(), Arc::new(plan)));
        }
        Ok(Self { executable, plans })
    }

    /// A copy to execute: execution takes the document apart.
    pub(crate) fn executable(&self) -> ExecutableDocument {
        self.executable.clone()
    }

    /// The plan of the operation of that name, or of the only one.
    pub(crate) fn plan(&self, operation: Option<&str>) -> Option<&Arc<Plan>> {
        let mut plans = self.plans.iter();
        match operation {
            Some(asked) => plans.find(|(name, _)| name.as_deref() == Some(asked)).map(|(_, plan)| plan),
            None => plans.next().map(|(_, plan)| plan),
        }
    }
}

impl Plan {
    /// Adds the keys of a selection set, those of fragments where they are spread, as far as the
    /// bounds go. Keys of a fragment that does not apply are simply never met.
    fn add(
        &mut self,
        set: &SelectionSet,
        document: &ExecutableDocument,
        budget: &mut usize,
        depth: usize,
    ) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        for selection in &set.items {
            *budget = budget.checked_sub(1)?;
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.clone();
                    self.0.entry(key).or_default().add(
                        &field.node.selection_set.node,
                        document,
                        budget,
                        depth + 1,
                    )?;
                }
                Selection::InlineFragment(fragment) => {
                    self.add(&fragment.node.selection_set.node, document, budget, depth + 1)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.add(&fragment.node.selection_set.node, document, budget, depth + 1)?;
                    }
                }
            }
        }
        Some(())
    }

    /// Puts a null where a field failed, and every key in its place.
    pub(crate) fn complete(&self, response: &mut Response) {
        for error in &response.errors {
            if !error.path.is_empty() {
                put_null(&mut response.data, &error.path);
            }
        }
        self.arrange(&mut response.data);
    }

    fn arrange(&self, value: &mut Value) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(item)),
            Value::Object(object) => {
                if !self.is_in_order(object) {
                    object.sort_by_cached_key(|key, _| self.0.get_index_of(key));
                }
                for (key, value) in object.iter_mut() {
                    if let (Value::Object(_) | Value::List(_), Some(plan)) = (&*value, self.0.get(key)) {
                        plan.arrange(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn is_in_order(&self, object: &IndexMap<Name, Value>) -> bool {
        let mut planned = self.0.keys();
        object.keys().all(|key| planned.any(|plan| plan == key))
    }
}

/// Every field that can fail is nullable, so a null is right wherever an error stands.
fn put_null(value: &mut Value, path: &[PathSegment]) {
    match (path, value) {
        ([PathSegment::Index(index), rest @ ..], Value::List(items)) => {
            if let Some(item) = items.get_mut(*index) {
                put_null(item, rest);
            }
        }
        ([PathSegment::Field(_), ..], value @ Value::Null) => {
            *value = Value::Object(IndexMap::new());
            put_null(value, path);
        }
        ([PathSegment::Field(field), rest @ ..], Value::Object(object)) => {
            put_null(object.entry(Name::new(field)).or_insert(Value::Null), rest);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completed(document: &str, data: serde_json::Value, errors: &[&[PathSegment]]) -> String {
        let document = Document::parse(document).unwrap();
        let error =
            |path: &&[PathSegment]| ServerError { path: path.to_vec(), ..ServerError::new("x", None) };
        let mut response = Response::new(Value::from_json(data).unwrap());
        response.errors = errors.iter().map(error).collect();
        document.plan(None).unwrap().complete(&mut response);
        serde_json::to_string(&response.data).unwrap()
    }

    #[test]
    fn keys_come_in_the_order_of_the_document() {
        let document = "{ b: x { q ...f } a } fragment f on T { p }";
        assert_eq!(
            completed(document, json!({"a": 1, "b": [{"p": 1, "q": 2}]}), &[]),
            r#"{"b":[{"q":2,"p":1}],"a":1}"#
        );
    }

    #[test]
    fn a_failed_field_is_null_beside_its_neighbours() {
        let path = [PathSegment::Field("a".into()), PathSegment::Index(0), PathSegment::Field("x".into())];
        assert_eq!(
            completed("{ a { x } b }", json!({"b": 1, "a": [null]}), &[&path]),
            r#"{"a":[{"x":null}],"b":1}"#
        );
        assert_eq!(completed("{ a }", json!(null), &[&[PathSegment::Field("a".into())]]), r#"{"a":null}"#);
    }

    #[test]
    fn fragments_in_a_circle_end() {
        assert!(matches!(Document::parse("{ ...f } fragment f on T { ...f }"), Err(Unusable::TooLarge)));
    }
}
