//! Turns a validated operation into the document that the execution library runs.

use apollo_compiler::{
    Node,
    ast::{self, DirectiveList, Type},
    executable::{self, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql::{
    Name, Pos, Positioned,
    parser::types::{self as library, DocumentOperations, OperationType},
};

use crate::{
    model::Model, position::Positions, survey::Survey, value::literal, variable::VariableDefinition,
};

/// Converts one operation with the fragments it uses.
pub(crate) struct Conversion<'c, 't> {
    pub(crate) model: &'c Model,
    pub(crate) document: &'c ExecutableDocument,
    pub(crate) survey: &'c Survey<'t>,
    pub(crate) positions: Positions<'t>,
}

impl Conversion<'_, '_> {
    /// The document of this operation alone.
    pub(crate) fn operation(
        mut self,
        operation: &Node<executable::Operation>,
        variables: &[VariableDefinition],
    ) -> library::ExecutableDocument {
        let position = self.positions.of(operation.location());
        let variables = variables.iter().map(|variable| {
            let definition = library::VariableDefinition {
                name: Positioned::new(variable.name.clone(), variable.position),
                var_type: Positioned::new(type_of(&variable.ty), variable.position),
                directives: vec![],
                // Put in when the variables are coerced.
                default_value: None,
            };
            Positioned::new(definition, variable.position)
        });
        let converted = library::OperationDefinition {
            ty: match operation.operation_type {
                ast::OperationType::Query => OperationType::Query,
                ast::OperationType::Mutation => OperationType::Mutation,
                ast::OperationType::Subscription => OperationType::Subscription,
            },
            variable_definitions: variables.collect(),
            directives: vec![],
            selection_set: Positioned::new(self.set(&operation.selection_set), position),
        };
        let operations = DocumentOperations::Single(Positioned::new(converted, position));
        // In the order of the text, so that each position is found from the one before.
        let survey = self.survey;
        let used = self.document.fragments.iter().filter(|(name, _)| survey.fragments.contains(*name));
        let fragments = used.map(|(name, fragment)| {
            let position = self.positions.of(fragment.location());
            let converted = library::FragmentDefinition {
                type_condition: condition_on(fragment.type_condition(), position),
                directives: vec![],
                selection_set: Positioned::new(self.set(&fragment.selection_set), position),
            };
            (Name::new(name), Positioned::new(converted, position))
        });
        let fragments = fragments.collect();
        library::ExecutableDocument { operations, fragments }
    }

    fn set(&mut self, set: &SelectionSet) -> library::SelectionSet {
        let items = set.selections.iter().map(|selection| self.selection(selection)).collect();
        library::SelectionSet { items }
    }

    fn selection(&mut self, selection: &Selection) -> Positioned<library::Selection> {
        let (position, converted) = match selection {
            Selection::Field(field) => {
                let position = self.positions.of(field.location());
                let field = Positioned::new(self.field(field, position), position);
                (position, library::Selection::Field(field))
            }
            Selection::InlineFragment(fragment) => {
                let position = self.positions.of(fragment.location());
                let condition = fragment.type_condition.as_ref();
                let converted = library::InlineFragment {
                    type_condition: condition.map(|on| condition_on(on, position)),
                    directives: directives(&fragment.directives, position),
                    selection_set: Positioned::new(self.set(&fragment.selection_set), position),
                };
                (position, library::Selection::InlineFragment(Positioned::new(converted, position)))
            }
            Selection::FragmentSpread(spread) => {
                let position = self.positions.of(spread.location());
                let converted = library::FragmentSpread {
                    fragment_name: Positioned::new(Name::new(&spread.fragment_name), position),
                    directives: directives(&spread.directives, position),
                };
                (position, library::Selection::FragmentSpread(Positioned::new(converted, position)))
            }
        };
        Positioned::new(converted, position)
    }

    fn field(&mut self, field: &executable::Field, position: Pos) -> library::Field {
        let here = |name: &str| Positioned::new(Name::new(name), position);
        let arguments = field.arguments.iter().map(|argument| {
            let position = self.positions.of(argument.location());
            let name = Positioned::new(Name::new(&argument.name), position);
            (name, Positioned::new(literal(&argument.value), position))
        });
        let arguments = arguments.collect();
        let mut below = self.set(&field.selection_set);
        if self.needs_mark(&field.selection_set) {
            let mark = library::Field {
                alias: Some(here(self.model.settings.mark)),
                name: here("__typename"),
                arguments: vec![],
                directives: vec![],
                selection_set: Positioned::default(),
            };
            let mark = library::Selection::Field(Positioned::new(mark, position));
            below.items.push(Positioned::new(mark, position));
        }
        library::Field {
            alias: field.alias.as_ref().map(|alias| here(alias)),
            name: here(&field.name),
            arguments,
            directives: directives(&field.directives, position),
            selection_set: Positioned::new(below, position),
        }
    }

    /// Whether an object is also asked for its type. The library answers null for an object of which
    /// nothing is left to ask; and where several places ask for one object, it then drops what the
    /// other places answer. Behind an interface, the type also decides the order of the keys.
    fn needs_mark(&self, set: &SelectionSet) -> bool {
        let is_plain = |selection: &Selection| match selection {
            Selection::Field(field) => field.directives.is_empty() && field.selection_set.is_empty(),
            _ => false,
        };
        !set.is_empty()
            && (self.may_be_empty(set)
                || !self.model.is_object(&set.ty)
                || (self.survey.repeats && !set.selections.iter().all(is_plain)))
    }

    /// Whether there may be nothing left to ask of an object: every selection has a condition, or is in
    /// a fragment on another type.
    fn may_be_empty(&self, set: &SelectionSet) -> bool {
        let always = |selection: &Selection| match selection {
            _ if !selection.directives().is_empty() => false,
            Selection::Field(_) => true,
            Selection::InlineFragment(fragment) => {
                let condition = fragment.type_condition.as_ref();
                condition.is_none_or(|on| self.always_applies(on, &set.ty))
                    && !self.may_be_empty(&fragment.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self.document.fragments.get(&spread.fragment_name);
                fragment.is_some_and(|fragment| {
                    self.always_applies(fragment.type_condition(), &set.ty)
                        && !self.may_be_empty(&fragment.selection_set)
                })
            }
        };
        !set.selections.iter().any(always)
    }

    /// Whether a fragment on a type applies to everything of another type.
    fn always_applies(&self, on: &str, ty: &str) -> bool {
        on == ty || (self.model.is_object(ty) && self.model.applies(on, ty))
    }
}

fn condition_on(name: &str, position: Pos) -> Positioned<library::TypeCondition> {
    Positioned::new(library::TypeCondition { on: Positioned::new(Name::new(name), position) }, position)
}

fn directives(list: &DirectiveList, position: Pos) -> Vec<Positioned<library::Directive>> {
    let convert = |directive: &Node<ast::Directive>| {
        let arguments = directive.arguments.iter().map(|argument| {
            let name = Positioned::new(Name::new(&argument.name), position);
            (name, Positioned::new(literal(&argument.value), position))
        });
        let name = Positioned::new(Name::new(&directive.name), position);
        Positioned::new(library::Directive { name, arguments: arguments.collect() }, position)
    };
    list.iter().map(convert).collect()
}

fn type_of(ty: &Type) -> library::Type {
    let nullable = !ty.is_non_null();
    let base = match ty {
        Type::Named(name) | Type::NonNullNamed(name) => library::BaseType::Named(Name::new(name)),
        Type::List(item) | Type::NonNullList(item) => library::BaseType::List(Box::new(type_of(item))),
    };
    library::Type { base, nullable }
}
