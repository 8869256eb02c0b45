//! Checks the values that a document itself holds, and the places where it uses variables.
//!
//! The validator that the document passes afterwards knows types too. Checked here is what it
//! leaves open (variables inside lists and objects, a field given twice, `@oneOf`), and every
//! message has the path of the value.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{Argument, DirectiveList, InputValueDefinition, Type, Value, VariableDefinition},
    executable::{ExecutableDocument, Operation, Selection, SelectionSet},
    schema::{ExtendedType, InputObjectType},
};

use crate::{
    model::{Model, Shape},
    problems::{Place, Problems, Step, Subject, cut, is_one_of},
    refusal::Refused,
};

/// The variables of an operation that are used where null is not allowed, though their types allow it.
pub(crate) type NotNull = HashSet<Name>;

/// Checks the values in a document. Returns, for each operation, which variables must not be null
/// though their types allow it.
///
/// # Errors
/// What is wrong with the values.
pub(crate) fn check(
    model: &Model,
    document: &ExecutableDocument,
    text: &str,
) -> Result<Vec<NotNull>, Refused> {
    let mut not_null = vec![];
    for operation in document.operations.iter() {
        let mut problems = Problems::new();
        let mut checking = Checking::new(model, document, operation, &mut problems);
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                let subject = Subject::Variable(async_graphql::Name::new(&variable.name));
                checking.problems.turn_to(subject, Place::Span(default.location()));
                checking.check(&variable.ty, default, false);
            }
        }
        checking.directives(&operation.directives);
        checking.set(&operation.selection_set);
        not_null.push(checking.not_null);
        // A mistake in a fragment that several operations share is one mistake.
        if problems.len() > 0 {
            return Err(Refused(problems.finish(text)));
        }
    }
    Ok(not_null)
}

struct Checking<'d, 'p> {
    model: &'d Model,
    document: &'d ExecutableDocument,
    variables: HashMap<&'d str, &'d VariableDefinition>,
    /// The fragments that have been looked at.
    seen: HashSet<&'d str>,
    not_null: NotNull,
    problems: &'p mut Problems,
}

impl<'d, 'p> Checking<'d, 'p> {
    fn new(
        model: &'d Model,
        document: &'d ExecutableDocument,
        operation: &'d Operation,
        problems: &'p mut Problems,
    ) -> Self {
        let variables = operation.variables.iter().map(|variable| (variable.name.as_str(), &**variable));
        let (seen, not_null) = (HashSet::new(), HashSet::new());
        Self { model, document, variables: variables.collect(), seen, not_null, problems }
    }

    fn set(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            if self.problems.is_full() {
                return;
            }
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.definition.arguments, &field.arguments);
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment.filter(|fragment| self.seen.insert(&fragment.name)) {
                        self.directives(&fragment.directives);
                        self.set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'d DirectiveList) {
        let model = self.model;
        for directive in directives.iter() {
            if let Some(definition) = model.schema.directive_definitions.get(&directive.name) {
                self.arguments(&definition.arguments, &directive.arguments);
            }
        }
    }

    fn arguments(&mut self, definitions: &[Node<InputValueDefinition>], given: &[Node<Argument>]) {
        for argument in given {
            // The validator names arguments that do not exist.
            if let Some(definition) = definitions.iter().find(|known| known.name == argument.name) {
                let place = Place::Span(argument.value.location());
                self.problems.turn_to(Subject::Argument(argument.name.clone()), place);
                self.check(&definition.ty, &argument.value, definition.default_value.is_some());
            }
        }
    }

    /// Checks a value for a place that may have a default.
    fn check(&mut self, ty: &Type, value: &Node<Value>, has_default: bool) {
        if self.problems.is_full() {
            return;
        }
        let outside = std::mem::replace(&mut self.problems.place, Place::Span(value.location()));
        match &**value {
            Value::Variable(name) => self.variable(ty, name, has_default),
            Value::Null if ty.is_non_null() => self.problems.must_not_be_null(),
            Value::Null => {}
            Value::List(items) if ty.is_list() => {
                for (index, item) in items.iter().enumerate() {
                    self.problems.enter(Step::Index(index));
                    self.check(ty.item_type(), item, false);
                    self.problems.leave();
                }
            }
            _ if ty.is_list() => self.check(ty.item_type(), value, false),
            other => self.named(ty, other),
        }
        self.problems.place = outside;
    }

    /// Whether a variable is allowed in a place (October 2021, 5.8.5).
    fn variable(&mut self, ty: &Type, name: &Name, has_default: bool) {
        // The validator names variables that are not defined, and types that do not exist.
        let Some(definition) = self.variables.get(name.as_str()) else { return };
        if self.model.named(&definition.ty).is_none() {
            return;
        }
        let default = definition.default_value.as_ref().is_some_and(|default| !default.is_null());
        let expected =
            if ty.is_non_null() && (default || has_default) { ty.clone().nullable() } else { ty.clone() };
        if ty.is_non_null() && !definition.ty.is_non_null() {
            self.not_null.insert(name.clone());
        }
        if !definition.ty.is_assignable_to(&expected) {
            let words = format!(": variable ${name} has type {} where {ty} is expected.", definition.ty);
            self.problems.note(&words);
        }
    }

    fn named(&mut self, ty: &Type, value: &Value) {
        match self.model.named(ty) {
            Some(ExtendedType::InputObject(object)) => match value {
                Value::Object(fields) => self.object(object, fields),
                other => self.problems.not_of_type(&shown(other), &object.name),
            },
            Some(ExtendedType::Enum(values)) => {
                let known = matches!(value, Value::Enum(name) if values.values.contains_key(name));
                match value {
                    _ if known => {}
                    Value::String(name) if values.values.contains_key(name.as_str()) => {
                        self.problems.note(&format!(": write {name} without quotation marks."));
                    }
                    other => self.problems.none_of(&shown(other), values),
                }
            }
            Some(ExtendedType::Scalar(scalar)) => self.scalar(&scalar.name, value),
            // The validator refuses arguments of other types.
            _ => {}
        }
    }

    fn object(&mut self, object: &Node<InputObjectType>, fields: &[(Name, Node<Value>)]) {
        let mut seen = HashSet::with_capacity(fields.len());
        for (name, value) in fields {
            if self.problems.is_full() {
                return;
            }
            let outside = std::mem::replace(&mut self.problems.place, Place::Span(value.location()));
            if !seen.insert(name.as_str()) {
                self.problems.note(&format!(": the field {} is given twice.", cut(name)));
            }
            match object.fields.get(name) {
                Some(field) => {
                    self.problems.enter(Step::Field(name.clone()));
                    self.check(&field.ty, value, field.default_value.is_some());
                    if is_one_of(object) {
                        self.must_hold(value);
                    }
                    self.problems.leave();
                }
                None => self.problems.unknown_field(name, object),
            }
            self.problems.place = outside;
        }
        self.problems.missing(object, |name| seen.contains(name));
        if is_one_of(object) && (fields.len() != 1 || fields.iter().any(|(_, value)| value.is_null())) {
            self.problems.not_exactly_one(object);
        }
    }

    /// A variable as a field of a `@oneOf` input must not be null (September 2025, 5.8.5).
    fn must_hold(&mut self, value: &Value) {
        let definition = value.as_variable().and_then(|name| self.variables.get(name.as_str()));
        if let Some(definition) = definition.filter(|definition| !definition.ty.is_non_null()) {
            let words = format!(": variable ${} must have a type that excludes null here.", definition.name);
            self.problems.note(&words);
        }
    }

    /// JSON may hold anything, but every name once, and variables that exist.
    fn json(&mut self, value: &Value) {
        match value {
            Value::Variable(name) if !self.variables.contains_key(name.as_str()) => {
                self.problems.note(&format!(": variable ${} is not defined.", cut(name)));
            }
            Value::Int(_) | Value::Float(_) if value.to_f64().is_none() => {
                self.problems.note(&format!(": {} is too large a number.", shown(value)));
            }
            Value::List(items) => items.iter().for_each(|item| self.json(item)),
            Value::Object(fields) => {
                let mut seen = HashSet::with_capacity(fields.len());
                for (name, field) in fields {
                    if !seen.insert(name.as_str()) {
                        self.problems.note(&format!(": the field {} is given twice.", cut(name)));
                    }
                    self.json(field);
                }
            }
            _ => {}
        }
    }

    fn scalar(&mut self, scalar: &str, value: &Value) {
        let fits = match (scalar, value) {
            ("Int", Value::Int(integer)) => {
                if integer.try_to_i32().is_err() {
                    self.problems.out_of_range(&shown(value));
                }
                true
            }
            ("Float", Value::Int(_) | Value::Float(_)) => value.to_f64().is_some(),
            ("Boolean", Value::Boolean(_)) | ("String" | "ID", Value::String(_)) | ("ID", Value::Int(_)) => {
                true
            }
            ("Int" | "Float" | "Boolean" | "String" | "ID", _) => false,
            (custom, value) => match self.model.shape(custom) {
                Shape::Any => {
                    self.json(value);
                    true
                }
                Shape::TextOrNumber => matches!(value, Value::String(_) | Value::Int(_) | Value::Float(_)),
                Shape::Text => matches!(value, Value::String(_)),
            },
        };
        if !fits {
            self.problems.not_of_type(&shown(value), scalar);
        }
    }
}

/// A literal as a message repeats it.
fn shown(value: &Value) -> String {
    match value {
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("{:?}", cut(text)),
        Value::Enum(name) | Value::Variable(name) => cut(name),
        Value::Int(number) => cut(number.as_str()),
        Value::Float(number) => cut(number.as_str()),
        Value::Boolean(yes) => yes.to_string(),
        Value::Null => "null".to_owned(),
    }
}
