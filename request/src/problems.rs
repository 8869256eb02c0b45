//! What is wrong with the values of a request: the place of each, and the words for it. Variables
//! and literals are described alike.

use apollo_compiler::{
    Node,
    parser::SourceSpan,
    schema::{EnumType, InputObjectType},
};
use async_graphql::{Name, Pos, Value};

use crate::{position::Positions, refusal::Problem, suggestion::closest};

/// How many problems are reported; the first ones show what is wrong.
pub(crate) const MAX_PROBLEMS: usize = 100;
/// How many of them come with a suggestion: finding a similar name costs more than all else.
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

/// What a value belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The variable of this name.
    Variable(Name),
    /// The argument of this name.
    Argument(apollo_compiler::Name),
}

/// A place in the document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Position(Pos),
    Span(Option<SourceSpan>),
}

/// The problems found so far, and the value that is being looked at.
pub(crate) struct Problems {
    subject: Subject,
    pub(crate) place: Place,
    path: Vec<Step>,
    found: Vec<(Problem, Place)>,
    hints: usize,
}

impl Problems {
    /// None yet.
    pub(crate) fn new() -> Self {
        let subject = Subject::Variable(Name::new(""));
        Self { subject, place: Place::Span(None), path: vec![], found: vec![], hints: 0 }
    }

    /// Turns to the value of a variable or an argument.
    pub(crate) fn turn_to(&mut self, subject: Subject, place: Place) {
        (self.subject, self.place) = (subject, place);
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether further problems would not be reported.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MAX_PROBLEMS
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
        if self.is_full() {
            return;
        }
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => name.to_string(),
            Step::Index(index) => index.to_string(),
        });
        // A client may choose names of any length.
        let (message, root) = match &self.subject {
            Subject::Variable(name) => {
                let name = cut(name);
                (format!("Variable ${name}{words}"), vec!["variables".to_owned(), name])
            }
            Subject::Argument(name) => (format!("Argument {name}{words}"), vec![name.to_string()]),
        };
        let field = root.into_iter().chain(steps).collect();
        self.found.push((Problem { field, ..Problem::new(message) }, self.place));
    }

    /// The problems in the order of the document, with their positions in it.
    pub(crate) fn finish(mut self, text: &str) -> Vec<Problem> {
        // In ascending order, so that the text is read once.
        self.found.sort_by_key(|(_, place)| match place {
            Place::Span(Some(span)) => span.offset(),
            _ => 0,
        });
        let mut positions = Positions::in_text(text);
        let found = self.found.into_iter().map(|(problem, place)| {
            let position = match place {
                Place::Position(position) => Some(position),
                Place::Span(span) => span.map(|_| positions.of(span)),
            };
            Problem { position, ..problem }
        });
        found.collect()
    }

    pub(crate) fn must_not_be_null(&mut self) {
        match self.path.last() {
            Some(Step::Field(name)) => self.note(&format!(": the field {name} must not be null.")),
            Some(Step::Index(_)) => self.note(": an item of the list must not be null."),
            None => self.note(" must not be null."),
        }
    }

    pub(crate) fn not_of_type(&mut self, shown: &str, ty: &str) {
        let article = if ty.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
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
        self.hints += 1;
        let hint = match self.hints <= MAX_HINTS {
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
            if field.is_required() && !is_there(name) {
                self.enter(Step::Field(name.clone()));
                self.note(&format!(": the field {name} of type {} is required.", field.ty));
                self.leave();
            }
        }
    }
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
