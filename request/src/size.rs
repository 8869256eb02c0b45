//! How large a document is with its fragments expanded, counted without expanding them: each
//! fragment is measured once, and its size is added wherever it is spread.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, DirectiveList, Document, FragmentDefinition, Selection, Value};

use crate::limit::{
    DEPTH, DIRECTIVES, DIRECTIVES_OF_FIELD, Exceeded, FRAGMENT_DEPTH, FRAGMENTS, INTROSPECTED_LISTS,
    INTROSPECTIONS, OPERATIONS, SELECTIONS, TYPENAMES, VARIABLE_NODES,
};

/// The lists of the schema's own types.
const INTROSPECTED: [&str; 8] =
    ["types", "directives", "fields", "interfaces", "possibleTypes", "inputFields", "args", "enumValues"];

/// Accepts a document that is small enough to be validated and compiled: all of its definitions,
/// also those that no operation uses, and all of its operations together.
///
/// # Errors
/// The limit that the document exceeds.
pub(crate) fn check(document: &Document) -> Result<(), Exceeded> {
    let mut fragments = HashMap::new();
    let (mut operations, mut definitions) = (0, 0);
    for definition in &document.definitions {
        match definition {
            Definition::FragmentDefinition(fragment) => {
                definitions += 1;
                fragments.insert(fragment.name.as_str(), &**fragment);
            }
            Definition::OperationDefinition(_) => operations += 1,
            // Validation refuses what defines a schema.
            _ => {}
        }
    }
    OPERATIONS.check(operations)?;
    FRAGMENTS.check(definitions)?;
    let mut measuring = Measuring { fragments, known: HashMap::new(), directives: 0 };
    let mut all = Size::default();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                measuring.directives(&operation.directives)?;
                for variable in &operation.variables {
                    measuring.directives(&variable.directives)?;
                    all.values += variable.default_value.as_ref().map_or(0, |value| values_in(value));
                }
                let size = measuring.set(&operation.selection_set, 0)?;
                all = all.beside(size);
                all.check()?;
            }
            // One that no operation uses is not valid, but finding that out must be cheap too.
            Definition::FragmentDefinition(fragment) => {
                measuring.directives(&fragment.directives)?;
                measuring.fragment(fragment, 0)?.check()?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The size of some selections, fragments included. Sums saturate.
#[derive(Clone, Copy, Default)]
struct Size {
    selections: usize,
    /// Values in arguments; a variable is one.
    values: usize,
    typenames: usize,
    introspections: usize,
    /// Levels of nested selection sets.
    sets: usize,
    /// Levels of nested fields.
    depth: usize,
    /// Levels of nested lists of the schema.
    lists: usize,
}

impl Size {
    /// The size of two parts of one selection set, or of two operations.
    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            values: self.values.saturating_add(other.values),
            typenames: self.typenames.saturating_add(other.typenames),
            introspections: self.introspections.saturating_add(other.introspections),
            sets: self.sets.max(other.sets),
            depth: self.depth.max(other.depth),
            lists: self.lists.max(other.lists),
        }
    }

    fn check(&self) -> Result<(), Exceeded> {
        SELECTIONS.check(self.selections)?;
        VARIABLE_NODES.check(self.values)?;
        TYPENAMES.check(self.typenames)?;
        INTROSPECTIONS.check(self.introspections)?;
        DEPTH.check(self.depth)
    }
}

struct Measuring<'d> {
    fragments: HashMap<&'d str, &'d FragmentDefinition>,
    /// The sizes of fragments; nothing for one that is being measured.
    known: HashMap<&'d str, Option<Size>>,
    directives: usize,
}

impl<'d> Measuring<'d> {
    /// The size of a selection set at this depth of nesting.
    fn set(&mut self, set: &'d [Selection], outside: usize) -> Result<Size, Exceeded> {
        if set.is_empty() {
            return Ok(Size::default());
        }
        FRAGMENT_DEPTH.check(outside + 1)?;
        let mut all = Size::default();
        for selection in set {
            let size = self.selection(selection, outside + 1)?;
            all = all.beside(size);
        }
        all.sets += 1;
        FRAGMENT_DEPTH.check(outside + all.sets)?;
        Ok(all)
    }

    fn selection(&mut self, selection: &'d Selection, outside: usize) -> Result<Size, Exceeded> {
        let mut size = match selection {
            Selection::Field(field) => {
                self.directives(&field.directives)?;
                let mut below = self.set(&field.selection_set, outside)?;
                for argument in &field.arguments {
                    below.values = below.values.saturating_add(values_in(&argument.value));
                }
                below.depth += 1;
                match field.name.as_str() {
                    "__typename" => below.typenames = below.typenames.saturating_add(1),
                    "__schema" | "__type" => {
                        INTROSPECTED_LISTS.check(below.lists)?;
                        below.introspections = below.introspections.saturating_add(1);
                    }
                    name if INTROSPECTED.contains(&name) => below.lists += 1,
                    _ => {}
                }
                below
            }
            Selection::InlineFragment(fragment) => {
                self.directives(&fragment.directives)?;
                self.set(&fragment.selection_set, outside)?
            }
            Selection::FragmentSpread(spread) => {
                self.directives(&spread.directives)?;
                match self.fragments.get(spread.fragment_name.as_str()).copied() {
                    Some(fragment) => self.fragment(fragment, outside)?,
                    // Validation names it.
                    None => Size::default(),
                }
            }
        };
        size.selections = size.selections.saturating_add(1);
        Ok(size)
    }

    /// The size of a fragment that is spread at this depth of nesting.
    fn fragment(&mut self, fragment: &'d FragmentDefinition, outside: usize) -> Result<Size, Exceeded> {
        if let Some(known) = self.known.get(fragment.name.as_str()) {
            // A fragment inside itself is nothing to measure: validation refuses the circle.
            let size = known.unwrap_or_default();
            FRAGMENT_DEPTH.check(outside + size.sets)?;
            return Ok(size);
        }
        self.known.insert(fragment.name.as_str(), None);
        let size = self.set(&fragment.selection_set, outside)?;
        self.known.insert(fragment.name.as_str(), Some(size));
        Ok(size)
    }

    /// Counts the directives of one place, once however often its fragment is used.
    fn directives(&mut self, list: &DirectiveList) -> Result<(), Exceeded> {
        DIRECTIVES_OF_FIELD.check(list.len())?;
        self.directives += list.len();
        DIRECTIVES.check(self.directives)
    }
}

/// The values that a value consists of, itself included.
fn values_in(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(|item| values_in(item)).sum::<usize>(),
        Value::Object(fields) => 1 + fields.iter().map(|(_, field)| values_in(field)).sum::<usize>(),
        _ => 1,
    }
}
