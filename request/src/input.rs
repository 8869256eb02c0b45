//! What coercing variables and checking literals have in common: the place of a value, and the
//! words for what is wrong with it.

use apollo_compiler::{
    Node,
    ast::InputValueDefinition,
    parser::SourceSpan,
    schema::{EnumType, InputObjectType},
};
use async_graphql::{Name, Pos, Value};

use crate::{Problem, suggestion::closest};

/// How many problems are reported; the first ones show what is wrong.
pub(crate) const MAX_PROBLEMS: usize = 100;
/// How many problems come with a suggestion.
const MAX_HINTS: usize = 10;
/// How many values of an enum a message lists.
const MAX_LISTED: usize = 20;
/// How many characters of a value a message repeats.
const MAX_SHOWN: usize = 40;

/// A step from a value to one inside it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Field(apollo_compiler::Name),
    Index(usize),
}

/// What the values belong to.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The variable of this name.
    Variable(Name),
    /// The argument of this name.
    Argument(apollo_compiler::Name),
}

/// The problems found so far, and the place of the value that is being looked at.
pub(crate) struct Findings {
    pub(crate) subject: Subject,
    /// Where the value stands in the document.
    pub(crate) span: Option<SourceSpan>,
    path: Vec<Step>,
    problems: Vec<(Problem, Option<SourceSpan>)>,
}

impl Findings {
    /// No problems yet of these values.
    pub(crate) fn of(subject: Subject) -> Self {
        Self { subject, span: None, path: vec![], problems: vec![] }
    }

    /// Whether further problems would not be reported.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Goes on to a value inside the current one, until [`Self::leave`].
    pub(crate) fn enter(&mut self, step: Step) {
        self.path.push(step);
    }

    pub(crate) fn leave(&mut self) {
        self.path.pop();
    }

    /// Notes a problem of the current value; the words follow its subject.
    pub(crate) fn note(&mut self, words: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            let steps = self.path.iter().map(|step| match step {
                Step::Field(name) => name.to_string(),
                Step::Index(index) => index.to_string(),
            });
            let (message, root) = match &self.subject {
                Subject::Variable(name) => {
                    (format!("Variable ${name}{words}"), vec!["variables".to_owned(), name.to_string()])
                }
                Subject::Argument(name) => (format!("Argument {name}{words}"), vec![name.to_string()]),
            };
            let field = root.into_iter().chain(steps).collect();
            self.problems.push((Problem { field, ..Problem::new(message) }, self.span));
        }
    }

    /// The problems, with their places in the document.
    pub(crate) fn finish(self, mut place: impl FnMut(Option<SourceSpan>) -> Pos) -> Vec<Problem> {
        let problems = self.problems.into_iter();
        problems.map(|(problem, span)| Problem { position: Some(place(span)), ..problem }).collect()
    }

    pub(crate) fn must_not_be_null(&mut self) {
        self.note(" must not be null.");
    }

    pub(crate) fn not_of_type(&mut self, shown: &str, ty: &str) {
        let article = if ty.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        self.note(&format!(": {shown} is not {article} {ty}."));
    }

    pub(crate) fn out_of_range(&mut self, shown: &str) {
        self.note(&format!(": {shown} is not an Int, which goes from -2147483648 to 2147483647."));
    }

    pub(crate) fn none_of(&mut self, shown: &str, values: &EnumType) {
        let names: Vec<&str> = values.values.keys().take(MAX_LISTED).map(|name| name.as_str()).collect();
        let more = if values.values.len() > MAX_LISTED { ", …" } else { "" };
        self.note(&format!(": {shown} is none of {}{more}.", names.join(", ")));
    }

    pub(crate) fn unknown_field(&mut self, name: &str, object: &InputObjectType) {
        // Finding a similar name costs more than anything else here.
        let hint = match self.problems.len() < MAX_HINTS {
            true => closest(name, object.fields.keys().map(|name| name.as_str())),
            false => String::new(),
        };
        self.note(&format!(": {} has no field {}.{hint}", object.name, cut(name)));
    }

    pub(crate) fn not_exactly_one(&mut self, object: &InputObjectType) {
        self.note(&format!(": {} takes exactly one field, which must not be null.", object.name));
    }

    /// Notes the fields that must be there and are not.
    pub(crate) fn missing(&mut self, object: &InputObjectType, is_there: impl Fn(&str) -> bool) {
        for (name, field) in &object.fields {
            if is_required(field) && !is_there(name) {
                self.enter(Step::Field(name.clone()));
                self.note(&format!(": the field {name} of type {} is required.", field.ty));
                self.leave();
            }
        }
    }
}

/// Whether a value must be given: it must not be null and has no default.
pub(crate) fn is_required(definition: &InputValueDefinition) -> bool {
    definition.ty.is_non_null() && definition.default_value.is_none()
}

/// Whether an input object takes exactly one of its fields.
pub(crate) fn is_one_of(object: &Node<InputObjectType>) -> bool {
    object.directives.has("oneOf")
}

/// A value as a message repeats it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::List(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("{:?}", cut(text)),
        other => cut(&other.to_string()),
    }
}

/// The beginning of a long text.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
