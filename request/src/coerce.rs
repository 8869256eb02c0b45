//! Coerces the variables of an operation, after the GraphQL specification (October 2021, 6.1.2).

use apollo_compiler::{
    Node,
    ast::Type,
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use serde_json::Number;

use crate::{
    limit::VARIABLE_NODES,
    model::{Model, Shape},
    problems::{Place, Problems, Step, Subject, is_one_of, shown},
    refusal::Refused,
    value::constant,
    variable::VariableDefinition,
};

/// The values that an operation runs with: defaults put in, every value of its variable's type. A
/// variable that may be null and was not sent stays absent. Values that no definition names are
/// left out. Arguments hold `values` beside those of variables.
///
/// # Errors
/// All mistakes together, each with the variable's name; values that, counted at each use, are too
/// many.
pub(crate) fn variables(
    model: &Model,
    definitions: &[VariableDefinition],
    values: usize,
    mut given: IndexMap<Name, Value>,
) -> Result<Variables, Refused> {
    let mut variables = Variables::default();
    let (mut problems, mut nodes) = (Problems::new(), values);
    for definition in definitions {
        if problems.is_full() {
            break;
        }
        problems.turn_to(Subject::Variable(definition.name.clone()), Place::Position(definition.position));
        let sent = given.swap_remove(&definition.name);
        let mut coercion = Coercion { model, problems: &mut problems, nodes: 0 };
        if let Some(value) = coercion.variable(definition, sent) {
            nodes = coercion.nodes.saturating_mul(definition.uses).saturating_add(nodes);
            variables.insert(definition.name.clone(), value);
        }
    }
    if problems.len() > 0 {
        return Err(Refused(problems.finish("")));
    }
    VARIABLE_NODES.check(nodes)?;
    Ok(variables)
}

struct Coercion<'c> {
    model: &'c Model,
    problems: &'c mut Problems,
    /// How many values have been looked at.
    nodes: usize,
}

impl Coercion<'_> {
    /// The value of a variable; none for one that stays absent.
    fn variable(&mut self, definition: &VariableDefinition, sent: Option<Value>) -> Option<Value> {
        let VariableDefinition { ty, default, .. } = definition;
        let mut value = match (sent, default) {
            (Some(Value::Null), _) if ty.is_non_null() => {
                self.problems.note(&format!(" of type {ty} must not be null."));
                return None;
            }
            (Some(Value::Null), _) if definition.must_not_be_null => {
                self.problems.note(" must not be null where it is used.");
                return None;
            }
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            (None, None) if ty.is_non_null() => {
                self.problems.note(&format!(" of type {ty} is required."));
                return None;
            }
            (None, None) => return None,
        };
        self.coerce(ty, &mut value);
        Some(value)
    }

    fn coerce(&mut self, ty: &Type, value: &mut Value) {
        self.nodes += 1;
        if self.problems.is_full() {
            return;
        }
        if *value == Value::Null {
            if ty.is_non_null() {
                self.problems.must_not_be_null();
            }
        } else if ty.is_list() {
            self.list(ty.item_type(), value);
        } else {
            self.named(ty, value);
        }
    }

    /// One value where a list is expected is a list of that value.
    fn list(&mut self, item: &Type, value: &mut Value) {
        match value {
            Value::List(items) => {
                for (index, value) in items.iter_mut().enumerate() {
                    self.problems.enter(Step::Index(index));
                    self.coerce(item, value);
                    self.problems.leave();
                }
            }
            one => {
                self.coerce(item, one);
                *one = Value::List(vec![std::mem::take(one)]);
            }
        }
    }

    fn named(&mut self, ty: &Type, value: &mut Value) {
        match self.model.named(ty) {
            Some(ExtendedType::InputObject(object)) => self.object(object, value),
            Some(ExtendedType::Enum(values)) => {
                let name = match &*value {
                    Value::String(name) => name,
                    // A default of the document.
                    Value::Enum(name) => name.as_str(),
                    _ => "",
                };
                if !values.values.contains_key(name) {
                    self.problems.none_of(&shown(value), values);
                }
            }
            Some(ExtendedType::Scalar(scalar)) => self.scalar(&scalar.name, value),
            // Validation lets no other type be a variable's.
            _ => {}
        }
    }

    fn object(&mut self, object: &Node<InputObjectType>, value: &mut Value) {
        let Value::Object(fields) = value else {
            return self.problems.not_of_type(&shown(value), &object.name);
        };
        for (name, value) in fields.iter_mut() {
            if self.problems.is_full() {
                return;
            }
            match object.fields.get_key_value(name.as_str()) {
                Some((name, field)) => {
                    self.problems.enter(Step::Field(name.clone()));
                    self.coerce(&field.ty, value);
                    self.problems.leave();
                }
                None => self.problems.unknown_field(name, object),
            }
        }
        self.problems.missing(object, |name| fields.contains_key(name));
        if is_one_of(object) && (fields.len() != 1 || fields.values().any(|value| *value == Value::Null)) {
            self.problems.not_exactly_one(object);
        }
        for (name, field) in &object.fields {
            if let Some(default) = &field.default_value
                && !fields.contains_key(name.as_str())
            {
                self.nodes += 1;
                fields.insert(Name::new(name), constant(default));
            }
        }
    }

    fn scalar(&mut self, scalar: &str, value: &mut Value) {
        let fits = match (scalar, &*value) {
            ("Int", Value::Number(number)) => {
                let number = number.clone();
                return self.int(&number, value);
            }
            ("Float", Value::Number(_))
            | ("Boolean", Value::Boolean(_))
            | ("String" | "ID", Value::String(_)) => true,
            ("ID", Value::Number(number)) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
                let digits = number.as_i64().map(|integer| integer.to_string());
                *value = Value::String(
                    digits.unwrap_or_else(|| number.to_string().trim_end_matches(".0").to_owned()),
                );
                true
            }
            ("Int" | "Float" | "Boolean" | "String" | "ID", _) => false,
            (custom, value) => {
                self.nodes += nodes_in(value) - 1;
                match self.model.shape(custom) {
                    Shape::Any => true,
                    Shape::TextOrNumber => matches!(value, Value::String(_) | Value::Number(_)),
                    Shape::Text => matches!(value, Value::String(_)),
                }
            }
        };
        if !fits {
            self.problems.not_of_type(&shown(value), scalar);
        }
    }

    /// 3.0 is the integer 3.
    fn int(&mut self, number: &Number, value: &mut Value) {
        let whole = number.as_f64().filter(|number| number.fract() == 0.0);
        match whole.map(|whole| format!("{whole:.0}").parse::<i32>()) {
            Some(Ok(integer)) => *value = Value::from(integer),
            Some(Err(_)) => self.problems.out_of_range(&shown(value)),
            None => self.problems.not_of_type(&shown(value), "Int"),
        }
    }
}

fn nodes_in(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(nodes_in).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(nodes_in).sum::<usize>(),
        _ => 1,
    }
}
