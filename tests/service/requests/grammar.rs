//! Random documents, made from the schema: fragments, variables, aliases, directives, literals,
//! several operations. All of them are grammatical; with mistakes, many are not valid.

mod write;

use std::{collections::HashMap, sync::OnceLock};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Map, Value, json};

use crate::aggregates::rng::Rng;

/// How deep fields go.
const DEPTH: usize = 4;

/// The types of the schema, as it is served.
pub(super) struct Types(HashMap<String, TypeKind>);

/// A random document.
pub(super) struct Generated {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) variables: Vec<Variable>,
}

pub(super) struct Operation {
    pub(super) name: Option<String>,
    pub(super) kind: &'static str,
    pub(super) set: Vec<Selection>,
    /// The numbers of its variables.
    pub(super) variables: Vec<usize>,
}

pub(super) struct Fragment {
    pub(super) on: String,
    pub(super) set: Vec<Selection>,
}

/// A variable of the document. Every operation that uses it defines it alike.
pub(super) struct Variable {
    pub(super) ty: String,
    pub(super) default: Option<String>,
    /// What is sent; nothing for one that is left out.
    pub(super) sent: Option<Value>,
}

pub(super) struct Selection {
    /// `@skip` or `@include`, and on what.
    pub(super) condition: Option<(&'static str, Condition)>,
    pub(super) what: What,
}

#[derive(Clone, Copy)]
pub(super) enum Condition {
    Fixed(bool),
    Variable(usize),
}

pub(super) enum What {
    Field {
        alias: Option<String>,
        name: String,
        arguments: String,
        below: Option<(String, Vec<Selection>)>,
    },
    Inline {
        on: Option<String>,
        set: Vec<Selection>,
    },
    Spread(usize),
    /// A fragment that does not exist.
    Nowhere,
}

impl Types {
    pub(super) fn served() -> &'static Self {
        static SERVED: OnceLock<Types> = OnceLock::new();
        SERVED.get_or_init(|| {
            let definitions = parse_schema(gateway::sdl()).unwrap().definitions.into_iter();
            let types = definitions.filter_map(|definition| match definition {
                TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node.kind)),
                _ => None,
            });
            Self(types.collect())
        })
    }

    fn fields(&self, ty: &str) -> Vec<&FieldDefinition> {
        match self.0.get(ty) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            Some(TypeKind::Interface(object)) => object.fields.iter().map(|field| &field.node).collect(),
            _ => vec![],
        }
    }

    /// The object types that a type may be.
    pub(super) fn possible(&self, ty: &str) -> Vec<&str> {
        let implements = |kind: &TypeKind| match kind {
            TypeKind::Object(object) => object.implements.iter().any(|interface| interface.node == ty),
            _ => false,
        };
        let mut found: Vec<_> =
            self.0.iter().filter(|(_, kind)| implements(kind)).map(|(name, _)| name.as_str()).collect();
        found.sort_unstable();
        match self.0.get_key_value(ty) {
            Some((name, TypeKind::Object(_))) => vec![name],
            _ => found,
        }
    }

    fn inputs(&self, ty: &str) -> Vec<&InputValueDefinition> {
        match self.0.get(ty) {
            Some(TypeKind::InputObject(object)) => object.fields.iter().map(|field| &field.node).collect(),
            _ => vec![],
        }
    }
}

pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}

/// Makes documents.
pub(super) struct Generator<'d> {
    pub(super) rng: &'d mut Rng,
    types: &'static Types,
    /// One choice in so many is a mistake; none if 0.
    mistakes: i64,
    fragments: Vec<Fragment>,
    variables: Vec<Variable>,
    /// Makes aliases unique, so that no two fields of different types share one.
    aliases: usize,
    /// Ids that find something.
    pub(super) ids: Vec<String>,
    /// The variables used by what is being made, and those of each fragment.
    used: Vec<usize>,
    used_by: Vec<Vec<usize>>,
}

impl<'d> Generator<'d> {
    pub(super) fn new(rng: &'d mut Rng, mistakes: i64) -> Self {
        Self {
            rng,
            types: Types::served(),
            mistakes,
            fragments: vec![],
            variables: vec![],
            aliases: 0,
            ids: vec![],
            used: vec![],
            used_by: vec![],
        }
    }

    /// The same with these ids, which interfaces are asked for more often.
    pub(super) fn with_ids(self, ids: &[String]) -> Self {
        Self { ids: ids.to_vec(), ..self }
    }

    /// One document; its operations read only, where `reads`.
    pub(super) fn document(mut self, reads: bool) -> Generated {
        let count = if self.rng.once_in(4) { 2 + self.rng.count(3) } else { 1 };
        let mut operations = vec![];
        for at in 0..count {
            let (kind, root) =
                if reads || !self.rng.once_in(4) { ("query", "Query") } else { ("mutation", "Mutation") };
            self.used.clear();
            let set = self.set(root, DEPTH);
            let mut variables = std::mem::take(&mut self.used);
            variables.sort_unstable();
            variables.dedup();
            if self.mistake() && !variables.is_empty() {
                variables.pop();
            } else if self.mistake() {
                variables.push(self.variable("Int", false));
            }
            let name = (count > 1 || self.rng.once_in(2))
                .then(|| if self.mistake() { "Q0".to_owned() } else { format!("Q{at}") });
            operations.push(Operation { name, kind, set, variables });
        }
        if self.mistake() {
            let set = self.set("Contact", 1);
            self.fragments.push(Fragment { on: "Contact".to_owned(), set });
        }
        Generated { operations, fragments: self.fragments, variables: self.variables }
    }

    fn mistake(&mut self) -> bool {
        self.mistakes > 0 && self.rng.once_in(self.mistakes)
    }

    fn choose<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.rng.count(from.len())].clone()
    }

    fn set(&mut self, ty: &str, depth: usize) -> Vec<Selection> {
        let count = 1 + self.rng.count(4);
        (0..count).map(|_| self.selection(ty, depth)).collect()
    }

    fn selection(&mut self, ty: &str, depth: usize) -> Selection {
        let condition = self.rng.once_in(6).then(|| {
            let name = if self.rng.once_in(2) { "skip" } else { "include" };
            let on = if self.rng.once_in(2) {
                Condition::Fixed(self.rng.once_in(2))
            } else {
                let number = self.variable("Boolean!", false);
                self.used.push(number);
                Condition::Variable(number)
            };
            (name, on)
        });
        let what = match self.rng.count(8) {
            0 => self.inline(ty, depth),
            1 if depth > 1 => self.spread(ty, depth),
            _ => self.field(ty, depth),
        };
        Selection { condition, what }
    }

    /// A type that a fragment inside of another type may have.
    fn condition_type(&mut self, ty: &str) -> String {
        let types = self.types;
        let mut may = types.possible(ty);
        may.push(ty);
        if types.possible("Node").contains(&ty) {
            may.push("Node");
        }
        if self.mistake() {
            self.choose(&["Product", "Int", "Nothing", "ContactFilter"]).to_owned()
        } else {
            self.choose(&may).to_owned()
        }
    }

    fn inline(&mut self, ty: &str, depth: usize) -> What {
        let on = (!self.rng.once_in(3)).then(|| self.condition_type(ty));
        let set = self.set(on.as_deref().unwrap_or(ty), depth);
        What::Inline { on, set }
    }

    fn spread(&mut self, ty: &str, depth: usize) -> What {
        if self.mistake() {
            return if self.fragments.is_empty() {
                What::Nowhere
            } else {
                What::Spread(self.rng.count(self.fragments.len()))
            };
        }
        let known: Vec<_> = (0..self.fragments.len()).filter(|at| self.fragments[*at].on == ty).collect();
        if !known.is_empty() && self.rng.once_in(2) {
            let number = self.choose(&known);
            self.used.extend_from_slice(&self.used_by[number].clone());
            return What::Spread(number);
        }
        let on = self.condition_type(ty);
        let outside = std::mem::take(&mut self.used);
        // Only fragments that are complete can be spread, so none spreads itself.
        let set = self.set(&on, depth - 1);
        let inside = std::mem::replace(&mut self.used, outside);
        self.used.extend_from_slice(&inside);
        self.fragments.push(Fragment { on, set });
        self.used_by.push(inside);
        What::Spread(self.fragments.len() - 1)
    }

    fn field(&mut self, ty: &str, depth: usize) -> What {
        let typename = || What::Field {
            alias: None,
            name: "__typename".to_owned(),
            arguments: String::new(),
            below: None,
        };
        let types = self.types;
        let fields = types.fields(ty);
        // What a group has in common can only be asked for what it was grouped by.
        let fields: Vec<_> = fields
            .into_iter()
            .filter(|field| {
                let answer = named(&field.ty.node);
                !answer.ends_with("GroupKey") && (depth > 0 || types.fields(answer).is_empty())
            })
            .collect();
        if fields.is_empty() || self.rng.once_in(12) {
            return typename();
        }
        let mut field = self.choose(&fields);
        if !self.ids.is_empty() && self.rng.once_in(3) {
            let is_node = |field: &&&FieldDefinition| named(&field.ty.node) == "Node";
            field = fields.iter().find(is_node).copied().unwrap_or(field);
        }
        let answer = named(&field.ty.node);
        let arguments =
            self.arguments(&field.arguments.iter().map(|argument| &argument.node).collect::<Vec<_>>());
        let is_object = !types.fields(answer).is_empty();
        let below = (is_object != self.mistake())
            .then(|| (answer.to_owned(), self.set(answer, depth.saturating_sub(1))));
        let name = if self.mistake() { format!("{}x", field.name.node) } else { field.name.node.to_string() };
        // A field with arguments, and one whose type is not the same everywhere, gets its own name.
        let alias = if self.mistakes > 0 && self.rng.once_in(6) {
            Some(format!("a{}", self.rng.count(3)))
        } else if self.mistakes == 0 || self.rng.once_in(2) {
            self.aliases += 1;
            Some(format!("{name}_{}", self.aliases))
        } else {
            None
        };
        What::Field { alias, name, arguments, below }
    }

    fn arguments(&mut self, definitions: &[&InputValueDefinition]) -> String {
        let mut given = vec![];
        for argument in definitions {
            let required = !argument.ty.node.nullable;
            if required != self.mistake() || (!required && self.rng.once_in(4)) {
                let name = if self.mistake() { "nope" } else { argument.name.node.as_str() };
                given.push(format!("{name}: {}", self.value(&argument.ty.node, 3)));
            }
        }
        if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) }
    }

    /// The number of a variable for a place of this type.
    fn variable(&mut self, place: &str, has_default: bool) -> usize {
        let known: Vec<_> = (0..self.variables.len()).filter(|at| self.variables[*at].ty == place).collect();
        if !known.is_empty() && self.rng.once_in(2) {
            return self.choose(&known);
        }
        let ty = match (self.mistake(), place.strip_suffix('!')) {
            (true, _) => {
                self.choose(&["Int", "String!", "[ID!]", "ContactFilter", "Nope", "Boolean"]).to_owned()
            }
            (false, Some(nullable)) if has_default => nullable.to_owned(),
            (false, None) if self.rng.once_in(3) => format!("{place}!"),
            _ => place.to_owned(),
        };
        let parsed = Type::new(&ty).unwrap();
        let nullable = parsed.nullable;
        let default = (self.rng.once_in(4)).then(|| self.literal(&parsed, 2, false));
        let sent = match nullable || default.is_some() {
            true if self.rng.once_in(3) => None,
            true if nullable && self.rng.once_in(8) => Some(Value::Null),
            _ => Some(self.json(&parsed, 3)),
        };
        self.variables.push(Variable { ty, default, sent });
        self.variables.len() - 1
    }
}

impl Generated {
    /// The value that a variable has when the document is executed.
    pub(super) fn condition(&self, number: usize) -> Option<bool> {
        let variable = &self.variables[number];
        let default = variable.default.as_deref().map(|default| json!(default == "true"));
        variable.sent.clone().or(default).and_then(|value| value.as_bool())
    }

    /// What is sent beside the document.
    pub(super) fn sent(&self) -> Value {
        let sent = self.variables.iter().enumerate();
        let sent = sent.filter_map(|(number, variable)| Some((format!("v{number}"), variable.sent.clone()?)));
        Value::Object(sent.collect::<Map<_, _>>())
    }
}
