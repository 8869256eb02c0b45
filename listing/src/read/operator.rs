//! The operators that each kind of field has in a filter.

use crate::{
    kind::Kind,
    registry::{self, Registry},
    sql::{
        column::Column,
        condition::{
            Comparison::{self, Eq, Gt, Gte, Lt, Lte, Ne},
            Condition,
        },
    },
    value::Value,
};

/// What an operator does with its operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operator {
    /// Compares with a value.
    Compare(Comparison),
    /// Looks for the value in a list, and whether it is to be found.
    In(bool),
    /// Looks for a text between these patterns.
    Like(&'static str, &'static str),
    /// Asks whether there is nothing.
    Empty,
    /// Asks whether JSON contains JSON.
    Contains,
    /// Asks whether a list has a text.
    Has,
    /// Asks whether a list has all of several texts, or any.
    HasSeveral(bool),
}

/// Name, meaning and description.
type Row = (&'static str, Operator, &'static str);

const EQ: Row = ("eq", Operator::Compare(Eq), "Equal.");
const NE: Row = ("ne", Operator::Compare(Ne), "Different, or empty.");
const IN: Row = ("in", Operator::In(true), "One of these, at most 1,000.");
const NOT_IN: Row = ("notIn", Operator::In(false), "None of these, at most 1,000; or empty.");
const GT: Row = ("gt", Operator::Compare(Gt), "Greater, or later.");
const GTE: Row = ("gte", Operator::Compare(Gte), "Greater, later or equal.");
const LT: Row = ("lt", Operator::Compare(Lt), "Less, or earlier.");
const LTE: Row = ("lte", Operator::Compare(Lte), "Less, earlier or equal.");
const IS_NULL: Row = ("isNull", Operator::Empty, "Whether it is empty.");

const TEXT: &[Row] = &[
    EQ,
    NE,
    IN,
    NOT_IN,
    ("eqIgnoreCase", Operator::Like("", ""), "Equal, in capitals or not."),
    ("contains", Operator::Like("%", "%"), "Contains this, in capitals or not."),
    ("startsWith", Operator::Like("", "%"), "Starts with this, in capitals or not."),
    ("endsWith", Operator::Like("%", ""), "Ends with this, in capitals or not."),
    ("gt", Operator::Compare(Gt), "Behind this in the alphabet."),
    ("gte", Operator::Compare(Gte), "Behind this in the alphabet, or equal."),
    ("lt", Operator::Compare(Lt), "Before this in the alphabet."),
    ("lte", Operator::Compare(Lte), "Before this in the alphabet, or equal."),
    IS_NULL,
];
const NAME: &[Row] = &[EQ, NE, IN, NOT_IN, IS_NULL];
const ORDERED: &[Row] = &[EQ, NE, IN, NOT_IN, GT, GTE, LT, LTE, IS_NULL];
const BOOLEAN: &[Row] = &[EQ, IS_NULL];
const LIST: &[Row] = &[
    ("has", Operator::Has, "It has this, spelt so."),
    ("hasAny", Operator::HasSeveral(false), "It has one of these."),
    ("hasAll", Operator::HasSeveral(true), "It has all of these."),
    ("isEmpty", Operator::Empty, "Whether it has nothing."),
];
const JSON: &[Row] = &[("contains", Operator::Contains, "It has all that this has, at the same places.")];

/// The operators of a count.
pub(crate) const COUNTS: &[Row] = &[
    ("eq", Operator::Compare(Eq), "As many."),
    ("ne", Operator::Compare(Ne), "Another number."),
    ("gt", Operator::Compare(Gt), "More."),
    ("gte", Operator::Compare(Gte), "As many, or more."),
    ("lt", Operator::Compare(Lt), "Fewer."),
    ("lte", Operator::Compare(Lte), "As many, or fewer."),
];

/// The operators of a kind.
pub(crate) fn of(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::Text => TEXT,
        Kind::Choice(_) | Kind::Id(_) => NAME,
        Kind::Integer | Kind::Long | Kind::Decimal | Kind::Instant | Kind::Date => ORDERED,
        Kind::Boolean => BOOLEAN,
        Kind::Texts | Kind::Parts(_) => LIST,
        Kind::Json => JSON,
    }
}

/// The input of a kind's operators.
pub(crate) fn describe(kind: Kind, registry: &mut Registry) -> String {
    let operand = match kind {
        Kind::Texts | Kind::Parts(_) => "String!".to_owned(),
        kind => kind.describe(registry),
    };
    let operand = operand.trim_end_matches('!').to_owned();
    let me = match kind {
        Kind::Texts | Kind::Parts(_) => "StringListFilter".to_owned(),
        _ => format!("{operand}Filter"),
    };
    registry::define(registry, &me.clone(), |_| {
        let fields = of(kind).iter().map(|(name, operator, about)| {
            let ty = match operator {
                Operator::In(_) | Operator::HasSeveral(_) => format!("[{operand}!]"),
                Operator::Empty => "Boolean".to_owned(),
                _ => operand.clone(),
            };
            registry::input(name, &ty, about)
        });
        let about =
            "What is asked of a value: everything that is given here. An empty value compares with nothing.";
        registry::input_object_named(&me, about, fields)
    })
}

/// The input of a count's operators.
pub(crate) fn describe_counts(registry: &mut Registry) -> String {
    let me = "CountFilter".to_owned();
    registry::define(registry, &me.clone(), |_| {
        let fields = COUNTS.iter().map(|(name, _, about)| registry::input(name, "Int", about));
        registry::input_object_named(&me, "What is asked of a number of things.", fields)
    })
}

/// That the list of this field has all of these texts, or any; nothing for a field that is no list.
pub(crate) fn has(column: &Column, texts: Vec<String>, all: bool) -> Option<Condition> {
    let term = || column.term.clone();
    match column.kind {
        Kind::Texts if all => Some(Condition::Contains(term(), Value::Texts(texts))),
        Kind::Texts => Some(Condition::Overlaps(term(), texts)),
        Kind::Parts(key) => {
            let one = |text| Value::Json(serde_json::json!([{ key: text }]));
            let each = texts.into_iter().map(|text| Condition::Contains(term(), one(text))).collect();
            Some(if all { Condition::All(each) } else { Condition::Any(each) })
        }
        _ => None,
    }
}
