//! Documents that clients send again and again: parsed once, and answered in their own order.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Name, PathSegment, Positioned, Response, ServerError, Value,
    indexmap::{IndexMap, map::Entry},
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, Field, OperationType, Selection, SelectionSet},
    },
};
use moka::sync::Cache;

/// How many bytes the kept documents take in memory, as far as it can be estimated.
const MAX_KEPT: u64 = 32 * 1024 * 1024;
/// How many bytes a parsed document and its plan take for each byte of its text (measured: 50).
const BYTES_PER_BYTE: usize = 64;
/// The longest document that is kept; front ends send shorter ones.
const MAX_KEPT_TEXT: usize = 32 * 1024;
/// How many selections a document may hold, counted as often as its fragments are spread: those may
/// spread each other in a circle, or double at each step, and validation walks them all.
const MAX_SELECTIONS: usize = 20_000;
/// How many bytes a document may have; what is large in a request are its variables.
const MAX_TEXT: usize = 256 * 1024;
/// Under which name objects are asked for their type, see [`mark`].
const MARK: &str = "_tessera_type";
/// How deep a document may go, fragments included.
const MAX_DEPTH: usize = 100;
/// How many fields a query may ask for at its root.
const MAX_QUERIES: usize = 50;
/// Under how many other names an object's field may be asked for: each multiplies what the rows of a
/// list answer. (At the root, where each is a list of its own, the limits there count.)
const MAX_ALIASES: usize = 20;
/// How many mutations a document may carry out.
const MAX_MUTATIONS: usize = 10;
/// How many `__typename` a document may hold; complexity does not count them.
const MAX_TYPENAMES: usize = 500;
/// How often a document may look into the schema, whose lists complexity does not count.
const MAX_INTROSPECTIONS: usize = 2;
/// How many of the schema's lists may stand in one another; explorers need three.
const MAX_INTROSPECTED_LISTS: usize = 4;
/// How many brackets may stand in one another, values of arguments included: the parser and the
/// library go down with them on the stack of the thread, and a stack that is full ends the process.
const MAX_BRACKETS: usize = 200;
/// The lists of the schema.
const INTROSPECTED_LISTS: [&str; 8] =
    ["types", "directives", "fields", "interfaces", "possibleTypes", "inputFields", "args", "enumValues"];

/// The documents seen lately.
#[derive(Clone)]
pub(crate) struct Documents(Cache<String, Arc<Document>>);

/// A parsed document, and how each of its operations is answered.
pub(crate) struct Document {
    executable: ExecutableDocument,
    operations: Vec<Arc<Operation>>,
}

/// How an operation is answered.
///
/// async-graphql 7.2 answers fields in the order in which they are done, and leaves out those that
/// failed. The specification wants the order of the document, and null.
pub(crate) struct Operation {
    name: Option<Name>,
    plan: Plan,
    /// Whether it asks for an object or a list in several places, whose answers are put together.
    pub(crate) repeats: bool,
}

/// In which order an object's keys are answered, and those of the objects below.
#[derive(Default, Debug)]
struct Plan {
    keys: IndexMap<Name, Plan>,
    /// How many other names a field has here.
    aliases: HashMap<Name, usize>,
}

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
        if text.len() <= MAX_KEPT_TEXT && !text.contains('"') && !self.0.contains_key(&text) {
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
        if text.len() > MAX_TEXT || nests_too_deep(text) {
            return Err(Unusable::TooLarge);
        }
        let mut executable = parse_query(text).map_err(|error| Unusable::Malformed(error.into()))?;
        let mut operations = Vec::new();
        // One walk for all operations: each has a plan that is kept, and may spread the same fragments.
        let mut walk = Walk::over(&executable);
        for (name, operation) in executable.operations.iter() {
            let mut plan = Plan::default();
            walk.add(&mut plan, &operation.node.selection_set.node, Place::default())
                .ok_or(Unusable::TooLarge)?;
            let most = match operation.node.ty {
                OperationType::Mutation => MAX_MUTATIONS,
                OperationType::Query | OperationType::Subscription => MAX_QUERIES,
            };
            let roots = std::mem::take(&mut walk.roots);
            if roots > most {
                return Err(Unusable::TooLarge);
            }
            if operation.node.ty == OperationType::Mutation && roots > plan.keys.len() {
                let message = "Ask for a mutation in one place: in several it would be carried out as often.";
                return Err(Unusable::Malformed(ServerError::new(message, Some(operation.pos))));
            }
            let repeats = std::mem::take(&mut walk.repeats);
            operations.push(Arc::new(Operation { name: name.cloned(), plan, repeats }));
        }
        if operations.iter().any(|operation| operation.repeats) {
            match &mut executable.operations {
                DocumentOperations::Single(one) => mark(&mut one.node.selection_set.node),
                DocumentOperations::Multiple(several) => {
                    several.values_mut().for_each(|one| mark(&mut one.node.selection_set.node));
                }
            }
            executable.fragments.values_mut().for_each(|one| mark(&mut one.node.selection_set.node));
        }
        Ok(Self { executable, operations })
    }

    /// A copy to execute: execution takes the document apart.
    pub(crate) fn executable(&self) -> ExecutableDocument {
        self.executable.clone()
    }

    /// The operation of that name, or the only one.
    pub(crate) fn operation(&self, name: Option<&str>) -> Option<&Arc<Operation>> {
        let mut operations = self.operations.iter();
        match name {
            Some(_) => operations.find(|operation| operation.name.as_deref() == name),
            None => operations.next(),
        }
    }
}

/// Asks every object for its type. The library answers null for an object of which nothing is left, in
/// one place of several, and then drops what the others answer.
fn mark(set: &mut SelectionSet) {
    let is_plain = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => {
            field.node.directives.is_empty() && field.node.selection_set.node.items.is_empty()
        }
        _ => false,
    };
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let below = &mut field.node.selection_set.node;
                mark(below);
                if !below.items.iter().all(is_plain) {
                    let name = |name| Positioned::new(Name::new(name), field.pos);
                    let mark = Field {
                        alias: Some(name(MARK)),
                        name: name("__typename"),
                        arguments: vec![],
                        directives: vec![],
                        selection_set: Positioned::default(),
                    };
                    below
                        .items
                        .push(Positioned::new(Selection::Field(Positioned::new(mark, field.pos)), field.pos));
                }
            }
            Selection::InlineFragment(fragment) => mark(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether brackets stand too deep in one another, before anybody recurs into them. Strings and
/// comments are passed over; a string that never ends is none.
fn nests_too_deep(text: &str) -> bool {
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(next) = rest.find(['{', '[', '(', '}', ']', ')', '#', '"']) {
        let first = rest.as_bytes().get(next).copied();
        rest = rest.get(next + 1..).unwrap_or_default();
        match first {
            Some(b'{' | b'[' | b'(') => depth += 1,
            Some(b'}' | b']' | b')') => depth = depth.saturating_sub(1),
            Some(b'#') => rest = rest.split_once(['\n', '\r']).map_or("", |(_, behind)| behind),
            _ => rest = behind_string(rest),
        }
        if depth > MAX_BRACKETS {
            return true;
        }
    }
    false
}

/// What follows a string whose first quotation mark has been read.
fn behind_string(text: &str) -> &str {
    if let Some(block) = text.strip_prefix("\"\"") {
        let mut ends = block.match_indices("\"\"\"");
        let end = ends.find(|(at, _)| !block.get(..*at).is_some_and(|before| before.ends_with('\\')));
        return end.map_or(block, |(at, mark)| block.get(at + mark.len()..).unwrap_or_default());
    }
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '\n' | '\r' => return text.get(at..).unwrap_or_default(),
            '"' if !escaped => return text.get(at + 1..).unwrap_or_default(),
            character => escaped = character == '\\' && !escaped,
        }
    }
    text
}

/// A walk over all that an operation selects, as far as the limits go.
struct Walk<'d> {
    document: &'d ExecutableDocument,
    selections: usize,
    typenames: usize,
    introspections: usize,
    /// Whether fields below one key were met in several places.
    repeats: bool,
    /// In how many places fields stand at the root.
    roots: usize,
}

/// Where a walk stands.
#[derive(Clone, Copy, Default)]
struct Place {
    depth: usize,
    /// Whether there is a field around it.
    inside: bool,
    /// How many lists of the schema are around it; none outside of `__schema` and `__type`.
    introspected_lists: Option<usize>,
}

impl<'d> Walk<'d> {
    fn over(document: &'d ExecutableDocument) -> Self {
        let (selections, typenames, introspections) = (MAX_SELECTIONS, MAX_TYPENAMES, MAX_INTROSPECTIONS);
        Self { document, selections, typenames, introspections, repeats: false, roots: 0 }
    }

    /// Adds the keys of a selection set, those of fragments where they are spread. Keys of a
    /// fragment that does not apply are simply never met.
    fn add(&mut self, plan: &mut Plan, set: &SelectionSet, place: Place) -> Option<()> {
        let below = Place { depth: place.depth + 1, ..place };
        if below.depth > MAX_DEPTH {
            return None;
        }
        for selection in &set.items {
            self.selections = self.selections.checked_sub(1)?;
            match &selection.node {
                Selection::Field(field) => {
                    let below = self.enter(&field.node.name.node, below)?;
                    self.roots += usize::from(!place.inside);
                    let plan = plan.enter(&field.node, place.inside)?;
                    self.repeats |= !plan.keys.is_empty();
                    self.add(plan, &field.node.selection_set.node, below)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.add(plan, &fragment.node.selection_set.node, below)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.add(plan, &fragment.node.selection_set.node, below)?;
                    }
                }
            }
        }
        Some(())
    }

    /// The place inside a field, unless that is one too many of its sort.
    fn enter(&mut self, field: &str, place: Place) -> Option<Place> {
        let introspected_lists = match (field, place.introspected_lists) {
            ("__typename", lists) => {
                self.typenames = self.typenames.checked_sub(1)?;
                lists
            }
            ("__schema" | "__type", _) => {
                self.introspections = self.introspections.checked_sub(1)?;
                Some(0)
            }
            (field, Some(lists)) if INTROSPECTED_LISTS.contains(&field) => Some(lists + 1),
            (_, lists) => lists,
        };
        let few = introspected_lists.is_none_or(|lists| lists <= MAX_INTROSPECTED_LISTS);
        few.then_some(Place { introspected_lists, inside: true, ..place })
    }
}

impl Operation {
    /// Puts a null where a field failed, and every key in its place. What lists have written is in
    /// order already, and is not looked into.
    pub(crate) fn complete(&self, response: &mut Response) {
        for error in &response.errors {
            if !error.path.is_empty() {
                put_null(&mut response.data, &error.path);
            }
        }
        self.plan.arrange(&mut response.data);
    }
}

impl Plan {
    /// The plan of a field, unless it has too many names already.
    fn enter(&mut self, field: &Field, counts: bool) -> Option<&mut Self> {
        match self.keys.entry(field.response_key().node.clone()) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => {
                if counts
                    && let Some(alias) = &field.alias
                    && alias.node != field.name.node
                {
                    let aliases = self.aliases.entry(field.name.node.clone()).or_default();
                    *aliases += 1;
                    if *aliases > MAX_ALIASES {
                        return None;
                    }
                }
                Some(new.insert(Self::default()))
            }
        }
    }

    fn arrange(&self, value: &mut Value) {
        // What has no fields in the document is somebody's JSON, whose keys are their own.
        if self.keys.is_empty() {
            return;
        }
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(item)),
            Value::Object(object) => {
                object.shift_remove(MARK);
                if !self.is_in_order(object) {
                    object.sort_by_cached_key(|key, _| self.keys.get_index_of(key));
                }
                for (key, value) in object.iter_mut() {
                    if let (Value::Object(_) | Value::List(_), Some(plan)) = (&*value, self.keys.get(key)) {
                        plan.arrange(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn is_in_order(&self, object: &IndexMap<Name, Value>) -> bool {
        let mut planned = self.keys.keys();
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
        document.operation(None).unwrap().complete(&mut response);
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
    fn what_objects_are_asked_for_by_ourselves_is_not_answered_and_json_stays_as_it_is() {
        let data = json!({"a": {"_tessera_type": "T", "json": {"b": 1, "_tessera_type": "mine", "a": 2}}});
        assert_eq!(
            completed("{ a { json } a { json } }", data, &[]),
            r#"{"a":{"json":{"_tessera_type":"mine","a":2,"b":1}}}"#
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
    fn a_document_that_grows_beyond_its_text_is_refused() {
        let doubling = |spreads: usize, steps: usize| {
            let step = |at: usize| {
                format!("fragment f{at} on T {{ {} }} ", format!("...f{} ", at + 1).repeat(spreads))
            };
            let steps: String = (0..steps).map(step).collect();
            format!("{{ ...f0 }} {steps} fragment f{} on T {{ a }}", (steps.matches("fragment").count()))
        };
        let introspecting = |lists: &str, depth: usize| {
            format!("{{ __type(name: \"T\") {{ {} name {} }} }}", lists.repeat(depth), "}".repeat(depth))
        };
        let aliases = |number: usize| (0..number).map(|at| format!("a{at}: x ")).collect::<String>();
        let too_large = [
            doubling(2, 31),
            doubling(100, 5),
            format!("{{ {} }} fragment f on T {{ {} }}", "...f ".repeat(3000), "a ".repeat(3000)),
            introspecting("interfaces { possibleTypes {", 3).replace("} }", "} } } } }"),
            "{ __type { name } a: __type { name } b: __schema { types { name } } }".to_owned(),
            format!("{{ a {{ {} }} }}", "__typename ".repeat(MAX_TYPENAMES + 1)),
            format!("{{ {} }}", aliases(MAX_QUERIES + 1)),
            format!("{{ a {{ {} }} }}", aliases(MAX_ALIASES + 1)),
            format!("mutation {{ {} }}", aliases(MAX_MUTATIONS + 1)),
        ];
        for document in too_large {
            assert!(matches!(Document::parse(&document), Err(Unusable::TooLarge)), "{document:.100}");
        }
        let explorers = "{ __schema { types { fields { args { type { ofType { name } } } } } directives { args { name } } } }";
        let some =
            [format!("{{ {} }}", aliases(MAX_QUERIES)), format!("{{ a {{ {} }} }}", aliases(MAX_ALIASES))];
        for document in some.into_iter().chain([doubling(2, 5), explorers.to_owned()]) {
            assert!(Document::parse(&document).is_ok(), "{document:.100}");
        }
    }

    #[test]
    fn fragments_in_a_circle_end() {
        assert!(matches!(Document::parse("{ ...f } fragment f on T { ...f }"), Err(Unusable::TooLarge)));
    }
}
