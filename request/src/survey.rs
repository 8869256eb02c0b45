//! What one walk over an operation finds out, with its fragments written out where they are spread.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    ast::Value,
    executable::{ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql::Name;

use crate::{Model, Problem, Refused, limit::ALIASES};

/// The findings about an operation whose size has been checked.
#[derive(Default)]
pub(crate) struct Survey {
    /// How often fields stand at the root.
    pub(crate) root_fields: usize,
    /// How many keys the answer has at the root.
    pub(crate) root_keys: usize,
    /// Whether an object is asked for in several places, whose answers are then merged.
    pub(crate) repeats: bool,
    /// The fragments that it uses.
    pub(crate) fragments: HashSet<apollo_compiler::Name>,
    /// How often arguments use each variable.
    pub(crate) uses: HashMap<Name, usize>,
    /// The values that arguments hold beside those of variables.
    pub(crate) values: usize,
    /// The alias that is not the client's to use.
    mark: &'static str,
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

impl Survey {
    /// Walks over an operation.
    ///
    /// # Errors
    /// A field has too many aliases, or the alias of the mark; two fields under one key differ.
    pub(crate) fn of(
        model: &Model,
        document: &ExecutableDocument,
        root: &SelectionSet,
    ) -> Result<Self, Refused> {
        let mut survey = Self { mark: model.settings.mark, ..Self::default() };
        let mut object = Object::default();
        survey.add(model, document, &mut object, root, true)?;
        survey.root_keys = object.keys.len();
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
            match selection {
                Selection::Field(field) => {
                    self.root_fields += usize::from(at_root);
                    if field.response_key() == self.mark {
                        return Err(Problem::new(format!("The alias {} is reserved.", self.mark)).into());
                    }
                    for argument in &field.arguments {
                        self.count(&argument.value);
                    }
                    let below = object.enter(model, &set.ty, field, !at_root)?;
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
    /// The object that a field of this type answers.
    fn enter(
        &mut self,
        model: &Model,
        ty: &'d str,
        field: &'d Field,
        limits_aliases: bool,
    ) -> Result<&mut Self, Refused> {
        let name = field.response_key().as_str();
        if !self.keys.contains_key(name) && limits_aliases && name != field.name.as_str() {
            let aliases = self.aliases.entry(&field.name).or_default();
            *aliases += 1;
            ALIASES.check(*aliases)?;
        }
        let key = self.keys.entry(name).or_default();
        for (other_type, other) in &key.fields {
            // An object has one type, so fields of two object types never meet.
            let may_meet = ty == *other_type || !model.is_object(ty) || !model.is_object(other_type);
            if may_meet && (field.name != other.name || !same_arguments(field, other)) {
                let message =
                    format!("Two fields under the name {name} differ in their arguments: give one an alias.");
                return Err(Problem::new(message).into());
            }
        }
        if !key.fields.iter().any(|(known, _)| *known == ty) {
            key.fields.push((ty, field));
        }
        Ok(&mut key.below)
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
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let other = other.iter().find(|(other, _)| other == name);
                    other.is_some_and(|(_, other)| same_value(value, other))
                })
        }
        (one, other) => one == other,
    }
}
