//! The order of an answer, found ahead: which keys each object has, and in which order.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    ast::Value,
    executable::{ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql::{
    Name,
    indexmap::{IndexMap, map::Entry},
};

use crate::{Exceeded, Problem, Refused, limit::ALIASES};

/// The keys of an object in the order of the document, each with those of the object below it.
#[derive(Default, Debug)]
pub(crate) struct Plan {
    pub(crate) keys: IndexMap<Name, Plan>,
    /// How many aliases a field has here.
    aliases: HashMap<Name, usize>,
}

/// What one walk over an operation finds out, fragments included.
#[derive(Default)]
pub(crate) struct Survey {
    pub(crate) plan: Plan,
    mark: &'static str,
    /// How often fields stand at the root; more often than there are keys if one is asked twice.
    pub(crate) root_fields: usize,
    /// Whether an object is asked for in several places, whose answers are then merged.
    pub(crate) repeats: bool,
    /// The fragments that it uses.
    pub(crate) fragments: HashSet<apollo_compiler::Name>,
    /// How often arguments use each variable.
    pub(crate) uses: HashMap<Name, usize>,
    /// The values that arguments hold beside those of variables.
    pub(crate) values: usize,
}

impl Survey {
    /// Walks over an operation, whose size has been checked.
    ///
    /// # Errors
    /// A field has too many aliases, or the alias `mark`.
    pub(crate) fn of(
        document: &ExecutableDocument,
        root: &SelectionSet,
        mark: &'static str,
    ) -> Result<Self, Refused> {
        let mut survey = Self { mark, ..Self::default() };
        let mut plan = Plan::default();
        survey.add(document, &mut plan, root, true)?;
        survey.plan = plan;
        Ok(survey)
    }

    /// Adds the keys of a selection set, those of fragments where they are spread. Keys of a
    /// fragment that does not apply to an object are never met in its answer.
    fn add(
        &mut self,
        document: &ExecutableDocument,
        plan: &mut Plan,
        set: &SelectionSet,
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
                    let plan = plan.enter(field, !at_root)?;
                    self.repeats |= !plan.keys.is_empty();
                    self.add(document, plan, &field.selection_set, false)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.add(document, plan, &fragment.selection_set, at_root)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        if !self.fragments.contains(&spread.fragment_name) {
                            self.fragments.insert(spread.fragment_name.clone());
                        }
                        self.add(document, plan, &fragment.selection_set, at_root)?;
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

impl Plan {
    /// The plan of the object that a field answers.
    fn enter(&mut self, field: &Field, limits_aliases: bool) -> Result<&mut Self, Exceeded> {
        match self.keys.entry(Name::new(field.response_key())) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                if limits_aliases && field.alias.as_ref().is_some_and(|alias| *alias != field.name) {
                    let aliases = self.aliases.entry(Name::new(&field.name)).or_default();
                    *aliases += 1;
                    ALIASES.check(*aliases)?;
                }
                Ok(new.insert(Self::default()))
            }
        }
    }
}
