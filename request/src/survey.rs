//! What one walk over an operation finds out, with its fragments written out where they are spread.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Node,
    ast::Value,
    executable::{ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql::Name;

use crate::{
    limit::{ALIASES, Exceeded},
    model::Model,
    position::Positions,
    refusal::{Problem, Refused},
};

/// What is known of an operation after one walk. Its size has been checked before.
#[derive(Default)]
pub(crate) struct Survey<'t> {
    /// The number of fields at the root, repeats included and `__typename` not.
    pub(crate) root_fields: usize,
    /// The number of selections, fragments counted at each use.
    pub(crate) selections: usize,
    /// Whether there is a directive anywhere.
    pub(crate) is_conditional: bool,
    /// The number of different keys of those fields.
    pub(crate) root_keys: usize,
    /// Whether an object is asked for in several places, whose answers are then merged.
    pub(crate) repeats: bool,
    /// The fragments that it uses.
    pub(crate) fragments: HashSet<apollo_compiler::Name>,
    /// How often arguments use each variable.
    pub(crate) uses: HashMap<Name, usize>,
    /// The values that arguments hold beside those of variables.
    pub(crate) values: usize,
    /// The alias that clients cannot use.
    mark: &'static str,
    text: &'t str,
}

/// The fields asked of one object, by their keys.
#[derive(Default)]
struct Object<'d> {
    keys: HashMap<&'d str, Key<'d>>,
    /// How many aliases a field has here.
    aliases: HashMap<&'d str, usize>,
}

/// What is asked under one key.
#[derive(Default)]
struct Key<'d> {
    below: Object<'d>,
    /// The field, once for each type whose field it is.
    fields: Vec<(&'d str, &'d Field)>,
}

impl<'t> Survey<'t> {
    /// Walks over an operation.
    ///
    /// # Errors
    /// A field has too many aliases, or the alias of the mark; two fields under one key differ.
    pub(crate) fn of(
        model: &Model,
        document: &ExecutableDocument,
        root: &SelectionSet,
        text: &'t str,
    ) -> Result<Self, Refused> {
        let mut survey = Self { mark: model.settings.mark, text, ..Self::default() };
        let mut object = Object::default();
        survey.add(model, document, &mut object, root, true)?;
        let is_resolved = |key: &&Key<'_>| key.fields.iter().any(|(_, field)| field.name != "__typename");
        survey.root_keys = object.keys.values().filter(is_resolved).count();
        Ok(survey)
    }

    fn add<'d>(
        &mut self,
        model: &Model,
        document: &'d ExecutableDocument,
        object: &mut Object<'d>,
        set: &'d SelectionSet,
        at_root: bool,
    ) -> Result<(), Refused> {
        for selection in &set.selections {
            self.selections += 1;
            self.is_conditional |= !selection.directives().is_empty();
            match selection {
                Selection::Field(field) => {
                    self.root_fields += usize::from(at_root && field.name != "__typename");
                    if field.response_key() == self.mark {
                        let message = format!("The alias {} is reserved.", self.mark);
                        return Err(self.at(Problem::new(message), field));
                    }
                    for argument in &field.arguments {
                        self.count(&argument.value);
                    }
                    if !at_root {
                        let counted = object.count_alias(field);
                        counted.map_err(|exceeded| self.at(exceeded.into(), field))?;
                    }
                    let key = object.keys.entry(field.response_key()).or_default();
                    if key.differs(model, &set.ty, field) {
                        let name = field.response_key();
                        let words = "differ in their arguments: give one an alias.";
                        let message = format!("Two fields under the name {name} {words}");
                        return Err(self.at(Problem::new(message), field));
                    }
                    let below = &mut key.below;
                    self.repeats |= !below.keys.is_empty();
                    self.add(model, document, below, &field.selection_set, false)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.add(model, document, object, &fragment.selection_set, at_root)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        if !self.fragments.contains(&spread.fragment_name) {
                            self.fragments.insert(spread.fragment_name.clone());
                        }
                        self.add(model, document, object, &fragment.selection_set, at_root)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A problem at a field.
    fn at(&self, problem: Problem, field: &Node<Field>) -> Refused {
        let position = Some(Positions::in_text(self.text).of(field.location()));
        Problem { position, ..problem }.into()
    }

    fn count(&mut self, value: &Value) {
        match value {
            Value::Variable(name) => *self.uses.entry(Name::new(name)).or_default() += 1,
            Value::List(items) => items.iter().for_each(|item| self.count(item)),
            Value::Object(fields) => fields.iter().for_each(|(_, field)| self.count(field)),
            _ => {}
        }
        self.values += 1;
    }
}

impl<'d> Object<'d> {
    /// Counts the alias of a field, unless its key is known.
    fn count_alias(&mut self, field: &'d Field) -> Result<(), Exceeded> {
        let key = field.response_key().as_str();
        if self.keys.contains_key(key) || key == field.name.as_str() {
            return Ok(());
        }
        let aliases = self.aliases.entry(&field.name).or_default();
        *aliases += 1;
        ALIASES.check(*aliases)
    }
}

impl<'d> Key<'d> {
    /// Adds a field of this type; true if it and another one under this key cannot be merged.
    fn differs(&mut self, model: &Model, ty: &'d str, field: &'d Field) -> bool {
        let is_known =
            |(known_type, known): &(&str, &Field)| *known_type == ty && std::ptr::eq(*known, field);
        // The same selection, spread again: comparing it each time would multiply its arguments.
        if self.fields.iter().any(is_known) {
            return false;
        }
        let differs = self.fields.iter().any(|(other_type, other)| {
            // An object has one type, so fields of two object types never meet.
            let may_meet = ty == *other_type || !model.is_object(ty) || !model.is_object(other_type);
            may_meet && (field.name != other.name || !same_arguments(field, other))
        });
        if !self.fields.iter().any(|(known, _)| *known == ty) {
            self.fields.push((ty, field));
        }
        differs
    }
}

/// Whether two fields have the same arguments (October 2021, 5.3.2). The validator takes a list
/// for another of which it is the beginning.
fn same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|argument| {
            let other = other.arguments.iter().find(|other| other.name == argument.name);
            other.is_some_and(|other| same_value(&argument.value, &other.value))
        })
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let other: HashMap<_, _> = other.iter().map(|(name, value)| (name, value)).collect();
            // Names are unique: it was checked.
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| same_value(value, other)))
        }
        (one, other) => one == other,
    }
}
