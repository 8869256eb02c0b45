//! How a document and its values are written.

use std::fmt::{self, Display, Formatter};

use async_graphql::parser::types::{BaseType, InputValueDefinition, Type, TypeKind};
use serde_json::{Map, Value, json};

use super::{Condition, Generated, Generator, Selection, What, named};

impl Generator<'_> {
    /// A value for a place of this type: a variable, or a literal.
    pub(super) fn value(&mut self, ty: &Type, depth: usize) -> String {
        if self.rng.once_in(4) {
            let number = self.variable(&ty.to_string(), false);
            self.used.push(number);
            return format!("$v{number}");
        }
        self.literal(ty, depth, true)
    }

    /// A literal, whose parts may be variables.
    pub(super) fn literal(&mut self, ty: &Type, depth: usize, variables: bool) -> String {
        if ty.nullable && self.rng.once_in(15) {
            return "null".to_owned();
        }
        if self.mistake() {
            return self
                .choose(&["1.5", "\"x\"", "NOPE", "[]", "{nope: 1}", "99999999999", "null", "true"])
                .to_owned();
        }
        match &ty.base {
            // One value may be written for a list of it, but a variable must have the type of the list.
            BaseType::List(inner) if self.rng.once_in(5) => self.literal(inner, depth, variables),
            BaseType::List(inner) => {
                let items: Vec<_> =
                    (0..self.rng.count(3)).map(|_| self.part(inner, depth, variables)).collect();
                format!("[{}]", items.join(", "))
            }
            BaseType::Named(name) => self.named(name, depth, variables),
        }
    }

    fn part(&mut self, ty: &Type, depth: usize, variables: bool) -> String {
        if variables { self.value(ty, depth) } else { self.literal(ty, depth, false) }
    }

    fn named(&mut self, name: &str, depth: usize, variables: bool) -> String {
        match self.types.0.get(name) {
            Some(TypeKind::Enum(values)) => {
                let names: Vec<_> =
                    values.values.iter().map(|value| value.node.value.node.to_string()).collect();
                let value = self.choose(&names);
                if self.mistake() { format!("\"{value}\"") } else { value }
            }
            Some(TypeKind::InputObject(_)) if is_one_of(name) && !self.mistake() => {
                let (field, ty) = self.one_field(name, depth);
                format!("{{{field}: {}}}", self.literal(&ty, depth.saturating_sub(1), false))
            }
            Some(TypeKind::InputObject(_)) => {
                let mut given = vec![];
                for field in self.types.inputs(name) {
                    let required = !field.ty.node.nullable;
                    if (required != self.mistake()) || (!required && depth > 0 && self.rng.once_in(12)) {
                        let value = self.part(&field.ty.node, depth.saturating_sub(1), variables);
                        given.push(format!("{}: {value}", field.name.node));
                    }
                }
                if self.mistake() && !given.is_empty() {
                    given.push(given[0].clone());
                }
                format!("{{{}}}", given.join(", "))
            }
            _ => match name {
                "Int" => self.rng.count(9).to_string(),
                "Float" => "1.5".to_owned(),
                "Boolean" => self.rng.once_in(2).to_string(),
                "ID" if !self.ids.is_empty() => format!("{:?}", self.choose(&self.ids.clone())),
                "ID" => self.choose(&["\"contact_01h455vb4pex5vsknk084sn02q\"", "7", "\"x\""]).to_owned(),
                "Decimal" => self.choose(&["\"12.50\"", "7"]).to_owned(),
                "Date" => "\"2030-12-31\"".to_owned(),
                "DateTime" => "\"2030-12-31T12:00:00Z\"".to_owned(),
                "TimeZone" => "\"Europe/Vienna\"".to_owned(),
                "JSON" if self.mistake() => "{a: 1, a: 2}".to_owned(),
                "JSON" if variables && self.rng.once_in(2) => {
                    let number = self.variable("JSON", false);
                    self.used.push(number);
                    format!("{{a: {{b: $v{number}}}}}")
                }
                "JSON" => "{a: [1, \"b\"]}".to_owned(),
                _ => self
                    .choose(&["\"Ada\"", "\"\\u00e9 \\\" \\uD83D\\uDE00\"", "\"\"\"a\n  b\"\"\"", "\"\""])
                    .to_owned(),
            },
        }
    }

    /// A field of a `@oneOf` input and its type, never null. Further inputs end at some depth.
    fn one_field(&mut self, name: &str, depth: usize) -> (String, Type) {
        let types = self.types;
        let ends = |field: &&&InputValueDefinition| depth > 0 || !is_one_of(named(&field.ty.node));
        let fields = types.inputs(name);
        let fields: Vec<_> = fields.iter().filter(ends).collect();
        let field = fields[self.rng.count(fields.len())];
        (field.name.node.to_string(), Type { nullable: false, ..field.ty.node.clone() })
    }

    /// A value as a variable brings it.
    pub(super) fn json(&mut self, ty: &Type, depth: usize) -> Value {
        if self.mistake() {
            return self.choose(&[
                json!(1.5),
                json!("x"),
                json!([]),
                json!({ "nope": 1 }),
                json!(99_999_999_999_i64),
                json!(null),
            ]);
        }
        let name = match &ty.base {
            BaseType::List(inner) => {
                return (0..self.rng.count(3)).map(|_| self.json(inner, depth)).collect();
            }
            BaseType::Named(name) => name.as_str(),
        };
        match self.types.0.get(name) {
            Some(TypeKind::Enum(values)) => {
                json!(values.values[self.rng.count(values.values.len())].node.value.node.as_str())
            }
            Some(TypeKind::InputObject(_)) if is_one_of(name) => {
                let (field, ty) = self.one_field(name, depth);
                json!({ field: self.json(&ty, depth.saturating_sub(1)) })
            }
            Some(TypeKind::InputObject(_)) => {
                let mut object = Map::new();
                for field in self.types.inputs(name) {
                    if !field.ty.node.nullable || (depth > 0 && self.rng.once_in(8)) {
                        object.insert(
                            field.name.node.to_string(),
                            self.json(&field.ty.node, depth.saturating_sub(1)),
                        );
                    }
                }
                Value::Object(object)
            }
            _ => match name {
                "Int" => json!(self.rng.count(9)),
                "Float" => json!(2),
                "Boolean" => json!(self.rng.once_in(2)),
                "Decimal" => json!("12.50"),
                "Date" => json!("2030-12-31"),
                "DateTime" => json!("2030-12-31T12:00:00Z"),
                "TimeZone" => json!("Europe/Vienna"),
                "ID" if !self.ids.is_empty() => json!(self.choose(&self.ids.clone())),
                "JSON" => json!({ "a": [1] }),
                _ => json!("Ada"),
            },
        }
    }
}

impl Display for Generated {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for operation in &self.operations {
            let definitions: String = operation
                .variables
                .iter()
                .map(|number| {
                    let variable = &self.variables[*number];
                    let default =
                        variable.default.as_ref().map(|default| format!(" = {default}")).unwrap_or_default();
                    format!("$v{number}: {}{default} ", variable.ty)
                })
                .collect();
            let definitions = if definitions.is_empty() { definitions } else { format!("({definitions})") };
            write!(
                f,
                "{} {}{definitions} {} ",
                operation.kind,
                operation.name.as_deref().unwrap_or_default(),
                Braces(&operation.set)
            )?;
        }
        for (number, fragment) in self.fragments.iter().enumerate() {
            write!(f, "fragment f{number} on {} {} ", fragment.on, Braces(&fragment.set))?;
        }
        Ok(())
    }
}

struct Braces<'a>(&'a [Selection]);

impl Display for Braces<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("{ ")?;
        for selection in self.0 {
            write!(f, "{selection} ")?;
        }
        f.write_str("}")
    }
}

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let condition = match self.condition {
            Some((name, Condition::Fixed(holds))) => format!(" @{name}(if: {holds})"),
            Some((name, Condition::Variable(number))) => format!(" @{name}(if: $v{number})"),
            None => String::new(),
        };
        match &self.what {
            What::Field { alias, name, arguments, below } => {
                if let Some(alias) = alias {
                    write!(f, "{alias}: ")?;
                }
                write!(f, "{name}{arguments}{condition}")?;
                below.as_ref().map_or(Ok(()), |(_, set)| write!(f, " {}", Braces(set)))
            }
            What::Inline { on, set } => {
                let on = on.as_ref().map(|on| format!("on {on}")).unwrap_or_default();
                write!(f, "... {on}{condition} {}", Braces(set))
            }
            What::Spread(number) => write!(f, "...f{number}{condition}"),
            What::Nowhere => write!(f, "...nowhere{condition}"),
        }
    }
}

/// Whether exactly one field of an input is given: so it is with every order.
fn is_one_of(input: &str) -> bool {
    input.ends_with("OrderBy")
}
