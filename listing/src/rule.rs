//! What a value that clients give must look like.

use async_graphql::{InputType, Value as GraphQLValue};
use serde::Serialize;

use crate::{
    checks::Checks,
    kind::{Kind, PartField},
    registry::Registry,
    scalar::stored::Stored,
    tidy::tidy,
    value::Value,
};

/// How many texts a field of several takes, and how many parts.
pub(crate) const MAX_MEMBERS: usize = 50;

/// A rule for the values of one field.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Whatever its kind can hold; not for kinds that hold anything of any length.
    Any,
    /// One line of at most so many characters.
    Line(usize),
    /// Several lines of at most so many characters.
    Lines(usize),
    /// A decimal with at most so many digits before and behind the point.
    Digits(i64, i64),
    /// As `Digits`, and not below zero.
    Amount(i64, i64),
    /// Different single lines of at most so many characters each.
    Labels(usize),
    /// A JSON object of at most so many bytes.
    Object(usize),
    /// A list of parts.
    Parts(PartsRule),
}

/// Something that an entity has several of and that is stored with it: an address of a contact.
pub trait Part: InputType + Serialize {
    /// The GraphQL type.
    const NAME: &'static str;
    /// The field that a part is known by; a cell of a CSV with nothing else holds it.
    const KEY: &'static str;
    /// Its fields, which are texts.
    const FIELDS: &'static [PartField];

    /// Trims what was given and says what is wrong with it; `at` is the path to it.
    fn check(&mut self, at: &str, checks: &mut Checks);
}

/// A rule for a list of parts, without their type.
#[derive(Clone, Copy, Debug)]
pub struct PartsRule {
    pub(crate) describe: fn(&mut Registry) -> String,
    pub(crate) read: fn(&str, GraphQLValue, &mut Checks) -> Option<Value>,
}

impl Rule {
    /// A list of these parts.
    pub const fn parts<P: Part>() -> Self {
        fn describe<P: Part>(registry: &mut Registry) -> String {
            <Vec<P> as InputType>::create_type_info(registry)
        }
        fn read<P: Part>(at: &str, given: GraphQLValue, checks: &mut Checks) -> Option<Value> {
            let mut parts = match Vec::<P>::parse(Some(given)) {
                Ok(parts) => parts,
                // From a cell of a CSV: what a request gives has been looked at before.
                Err(_) => {
                    let fields: Vec<&str> = P::FIELDS.iter().map(|field| field.name).collect();
                    let message =
                        format!("Give a JSON list of objects with these fields: {}.", fields.join(", "));
                    checks.invalid(at, message);
                    return None;
                }
            };
            if parts.len() > MAX_MEMBERS {
                checks.invalid(at, format!("This takes at most {MAX_MEMBERS}."));
            }
            for (number, part) in parts.iter_mut().enumerate().take(MAX_MEMBERS) {
                part.check(&format!("{at}.{number}"), checks);
            }
            Some(Value::Json(Stored(parts).json()))
        }
        Self::Parts(PartsRule { describe: describe::<P>, read: read::<P> })
    }

    /// Whether it bounds values of this kind.
    pub(crate) const fn suits(self, kind: Kind) -> bool {
        match self {
            Self::Any => {
                !matches!(kind, Kind::Text | Kind::Texts | Kind::Choices(_) | Kind::Json | Kind::Parts(_))
            }
            Self::Line(_) | Self::Lines(_) => matches!(kind, Kind::Text),
            Self::Digits(..) | Self::Amount(..) => matches!(kind, Kind::Decimal),
            Self::Labels(_) => matches!(kind, Kind::Texts),
            Self::Object(_) => matches!(kind, Kind::Json),
            Self::Parts(_) => matches!(kind, Kind::Parts(_)),
        }
    }

    /// What the rule says, for the description of an input.
    pub(crate) fn about(self) -> String {
        match self {
            Self::Any => String::new(),
            // The schema says how long they are by `@length`.
            Self::Line(_) => "A single line.".to_owned(),
            Self::Lines(_) => "May have several lines.".to_owned(),
            Self::Digits(before, behind) => {
                format!("At most {before} digits before the point and {behind} behind it.")
            }
            Self::Amount(before, behind) => {
                format!("Not below zero; at most {before} digits before the point and {behind} behind it.")
            }
            Self::Labels(max) => {
                format!("At most {MAX_MEMBERS}, all different, of at most {max} characters each.")
            }
            Self::Object(max) => format!("A JSON object of at most {max} bytes."),
            Self::Parts(_) => format!("At most {MAX_MEMBERS}; give all of them, in order."),
        }
    }

    /// Text without its edges, blank text as none; anything else as it is.
    pub(crate) fn tidy(self, value: Value) -> Value {
        let trimmed = |text: String| tidy(&text).to_owned();
        match value {
            Value::Text(text) => match trimmed(text) {
                text if text.is_empty() => Value::Null,
                text => Value::Text(text),
            },
            // Too many are refused as they are: comparing each with each would take its time.
            Value::Texts(texts) if texts.len() > MAX_MEMBERS => Value::Texts(texts),
            Value::Texts(texts) => {
                let mut tidy: Vec<String> = vec![];
                for text in texts.into_iter().map(trimmed).filter(|text| !text.is_empty()) {
                    if !tidy.contains(&text) {
                        tidy.push(text);
                    }
                }
                Value::Texts(tidy)
            }
            other => other,
        }
    }

    /// Says what is wrong with a tidy value.
    pub(crate) fn check(self, field: &str, value: &Value, checks: &mut Checks) {
        match (self, value) {
            (Self::Line(max), Value::Text(text)) => checks.text(field, Some(text), max),
            (Self::Lines(max), Value::Text(text)) => checks.multiline(field, Some(text), max),
            (Self::Digits(before, behind) | Self::Amount(before, behind), Value::Decimal(number)) => {
                let (before_point, behind_point) = number.digits();
                if before_point > before || behind_point > behind {
                    let message =
                        format!("This has more than {before} digits before the point or {behind} behind it.");
                    checks.invalid(field, message);
                } else if matches!(self, Self::Amount(..)) && *number < 0.into() {
                    checks.invalid(field, "This must not be below zero.");
                }
            }
            (Self::Labels(max), Value::Texts(texts)) => {
                if texts.len() > MAX_MEMBERS {
                    checks.invalid(field, format!("This takes at most {MAX_MEMBERS}."));
                }
                for (number, text) in texts.iter().enumerate().take(MAX_MEMBERS) {
                    checks.text(&format!("{field}.{number}"), Some(text), max);
                }
            }
            (Self::Object(max), Value::Json(json)) => {
                if !json.is_object() {
                    checks.invalid(field, "This is not a JSON object.");
                } else if json.to_string().len() > max {
                    checks.invalid(field, format!("This has more than {max} bytes."));
                }
            }
            _ => {}
        }
    }
}
