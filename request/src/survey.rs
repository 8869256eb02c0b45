//! What one walk over an operation finds out, with its fragments written out where they are spread.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    ast::Value,
    executable::{ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql::Name;

use crate::{Exceeded, Problem, Refused, limit::ALIASES};

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
    keys: HashMap<&'d str, Object<'d>>,
    /// How many aliases a field has here.
    aliases: HashMap<&'d str, usize>,
}

impl Survey {
    /// Walks over an operation.
    ///
    /// # Errors
    /// A field has too many aliases, or the alias `mark`.
    pub(crate) fn of(
        document: &ExecutableDocument,
        root: &SelectionSet,
        mark: &'static str,
    ) -> Result<Self, Refused> {
        let mut survey = Self { mark, ..Self::default() };
        let mut object = Object::default();
        survey.add(document, &mut object, root, true)?;
        survey.root_keys = object.keys.len();
        Ok(survey)
    }

    fn add<'d>(
        &mut self,
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
                    let below = object.enter(field, !at_root)?;
                    self.repeats |= !below.keys.is_empty();
                    self.add(document, below, &field.selection_set, false)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.add(document, object, &fragment.selection_set, at_root)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        if !self.fragments.contains(&spread.fragment_name) {
                            self.fragments.insert(spread.fragment_name.clone());
                        }
                        self.add(document, object, &fragment.selection_set, at_root)?;
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
    /// The object that a field answers.
    fn enter(&mut self, field: &'d Field, limits_aliases: bool) -> Result<&mut Self, Exceeded> {
        let key = field.response_key().as_str();
        if !self.keys.contains_key(key) && limits_aliases && key != field.name.as_str() {
            let aliases = self.aliases.entry(&field.name).or_default();
            *aliases += 1;
            ALIASES.check(*aliases)?;
        }
        Ok(self.keys.entry(key).or_default())
    }
}
