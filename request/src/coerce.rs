//! Coerces the variables of an operation, after the GraphQL specification (October 2021, 6.1.2).

use apollo_compiler::{
    Node,
    ast::Type,
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Value, Variables, indexmap::IndexMap};
use serde_json::Number;

use crate::{
    Model, Problem, Refused, Shape,
    convert::constant,
    input::{Findings, MAX_PROBLEMS, Step, Subject, is_one_of, shown},
    limit::VARIABLE_NODES,
    operation::{Operation, VariableDefinition},
};

/// The values that an operation runs with: defaults put in, every value of its variable's type. A
/// variable that may be null and was not sent stays absent. Values that no definition names are
/// left out.
///
/// # Errors
/// All mistakes together, each with the variable's name; values that, counted at each use, are too
/// many.
pub(crate) fn variables(
    model: &Model,
    operation: &Operation,
    mut given: IndexMap<Name, Value>,
) -> Result<Variables, Refused> {
    let mut variables = Variables::default();
    let (mut problems, mut nodes) = (vec![], operation.values);
    for definition in &operation.variables {
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        let sent = given.swap_remove(&definition.name);
        match variable(model, definition, sent) {
            Ok(None) => {}
            Ok(Some((value, size))) => {
                nodes = size.saturating_mul(definition.uses).saturating_add(nodes);
                variables.insert(definition.name.clone(), value);
            }
            Err(mut found) => problems.append(&mut found),
        }
    }
    if !problems.is_empty() {
        return Err(Refused(problems));
    }
    VARIABLE_NODES.check(nodes)?;
    Ok(variables)
}

/// The value of one variable and the number of values in it; none for one that stays absent.
fn variable(
    model: &Model,
    definition: &VariableDefinition,
    sent: Option<Value>,
) -> Result<Option<(Value, usize)>, Vec<Problem>> {
    let VariableDefinition { name, ty, default, position, .. } = definition;
    let refused = |words: &str| {
        let message = format!("Variable ${name} of type {ty} {words}");
        let field = vec!["variables".to_owned(), name.to_string()];
        Err(vec![Problem { field, position: Some(*position), ..Problem::new(message) }])
    };
    let mut value = match (sent, default) {
        (Some(Value::Null), _) if ty.is_non_null() => return refused("must not be null."),
        (Some(value), _) => value,
        (None, Some(default)) => default.clone(),
        (None, None) if ty.is_non_null() => return refused("is required."),
        (None, None) => return Ok(None),
    };
    let findings = Findings::of(Subject::Variable(name.clone()));
    let mut coercion = Coercion { model, findings, nodes: 0 };
    coercion.coerce(ty, &mut value);
    let problems = coercion.findings.finish(|_| *position);
    if problems.is_empty() { Ok(Some((value, coercion.nodes))) } else { Err(problems) }
}

struct Coercion<'m> {
    model: &'m Model,
    findings: Findings,
    /// How many values have been looked at.
    nodes: usize,
}

impl Coercion<'_> {
    fn coerce(&mut self, ty: &Type, value: &mut Value) {
        self.nodes += 1;
        if self.findings.is_full() {
            return;
        }
        if *value == Value::Null {
            if ty.is_non_null() {
                self.findings.must_not_be_null();
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
                    self.findings.enter(Step::Index(index));
                    self.coerce(item, value);
                    self.findings.leave();
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
                    self.findings.none_of(&shown(value), values);
                }
            }
            Some(ExtendedType::Scalar(scalar)) => self.scalar(&scalar.name, value),
            // Validation lets no other type be a variable's.
            _ => {}
        }
    }

    fn object(&mut self, object: &Node<InputObjectType>, value: &mut Value) {
        let Value::Object(fields) = value else {
            return self.findings.not_of_type(&shown(value), &object.name);
        };
        for (name, value) in fields.iter_mut() {
            if self.findings.is_full() {
                return;
            }
            match object.fields.get_key_value(name.as_str()) {
                Some((name, field)) => {
                    self.findings.enter(Step::Field(name.clone()));
                    self.coerce(&field.ty, value);
                    self.findings.leave();
                }
                None => self.findings.unknown_field(name, object),
            }
        }
        self.findings.missing(object, |name| fields.contains_key(name));
        if is_one_of(object) && (fields.len() != 1 || fields.values().any(|value| *value == Value::Null)) {
            self.findings.not_exactly_one(object);
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
            ("ID", Value::Number(number)) if !number.is_f64() => {
                *value = Value::String(number.to_string());
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
            self.findings.not_of_type(&shown(value), scalar);
        }
    }

    /// 3.0 is the integer 3.
    fn int(&mut self, number: &Number, value: &mut Value) {
        let whole = number.as_f64().filter(|number| number.fract() == 0.0);
        match whole.map(|whole| format!("{whole:.0}").parse::<i32>()) {
            Some(Ok(integer)) => *value = Value::from(integer),
            Some(Err(_)) => self.findings.out_of_range(&shown(value)),
            None => self.findings.not_of_type(&shown(value), "Int"),
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
