//! Values as the model knows them.

use std::{cmp::Ordering, fmt};

use bigdecimal::{BigDecimal, Zero};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Choice,
    Number,
    Bool,
    Instant,
    Date,
    /// With what ids of its type start with.
    Id(&'static str),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    /// The name of an enum, too.
    Text(String),
    Number(BigDecimal),
    Bool(bool),
    Instant(DateTime<Utc>),
    Date(NaiveDate),
    Id(Uuid),
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => f.write_str(&number.to_plain_string()),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Instant(at) => write!(f, "{at:?}"),
            Self::Date(day) => write!(f, "{day}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl Cell {
    pub(super) fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    pub(super) fn number(text: &str) -> Self {
        Self::Number(text.parse().unwrap())
    }

    pub(super) fn count(count: usize) -> Self {
        Self::Number(BigDecimal::from(u64::try_from(count).unwrap()))
    }

    /// As a client writes it.
    pub(super) fn json(&self, kind: Kind) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number.to_plain_string()),
            Self::Bool(yes) => json!(yes),
            Self::Instant(at) => json!(listing::Instant(*at).text()),
            Self::Date(day) => json!(day.to_string()),
            Self::Id(id) => {
                let Kind::Id(prefix) = kind else { panic!("{kind:?} holds no id") };
                json!(type_safe(prefix, *id))
            }
        }
    }

    /// As the service answers it.
    pub(super) fn read(kind: Kind, answered: &Value) -> Self {
        if answered.is_null() {
            return Self::Null;
        }
        let text = || answered.as_str().unwrap_or_else(|| panic!("{answered} for {kind:?}"));
        match kind {
            Kind::Text | Kind::Choice => Self::Text(text().to_owned()),
            // A count is a number, everything exact a string.
            Kind::Number if answered.is_i64() => Self::Number(answered.as_i64().unwrap().into()),
            Kind::Number => Self::number(text()),
            Kind::Bool => Self::Bool(answered.as_bool().unwrap()),
            Kind::Instant => Self::Instant(text().parse().unwrap()),
            Kind::Date => Self::Date(text().parse().unwrap()),
            Kind::Id(prefix) => {
                assert!(text().starts_with(&format!("{prefix}_")), "{answered} for {kind:?}");
                Self::Id(uuid(text()))
            }
        }
    }

    /// Which of two is first in an ascending order. Nothing comes last.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Text(one), Self::Text(other)) => alphabet(one).cmp(&alphabet(other)),
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Instant(one), Self::Instant(other)) => one.cmp(other),
            (Self::Date(one), Self::Date(other)) => one.cmp(other),
            (Self::Id(one), Self::Id(other)) => one.cmp(other),
            _ => panic!("{self:?} beside {other:?}"),
        }
    }
}

/// How ICU's root collation sorts plain letters and spaces: by the letters, and the small ones first
/// where nothing else differs.
fn alphabet(text: &str) -> (String, String) {
    let swapped = |letter: char| {
        if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    (text.to_lowercase(), text.chars().map(swapped).collect())
}

/// Whether an answered mean has the 16 digits that are promised.
pub(super) fn is_mean(answered: &Cell, exact: &Cell) -> bool {
    match (answered, exact) {
        (Cell::Number(answered), Cell::Number(exact)) => {
            let off = (answered - exact).abs() * BigDecimal::from(2_000_000_000_000_000_i64);
            off <= exact.abs() && (!exact.is_zero() || answered.is_zero())
        }
        _ => answered == exact,
    }
}

/// An id as clients see it. The service's own crates stay out of it: they are what is tested.
pub(super) fn type_safe(prefix: &str, id: Uuid) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digit = |place: u32| {
        let five = (id.as_u128() >> (5 * place)) & 31;
        char::from(DIGITS[usize::try_from(five).unwrap()])
    };
    format!("{prefix}_{}", (0..26).rev().map(digit).collect::<String>())
}
