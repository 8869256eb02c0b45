//! The operators that each kind of field has in a filter.

use crate::{
    kind::{Kind, PartField, Parts},
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
    /// Asks whether a list has a part that meets a condition, and whether there is to be one.
    Part(bool),
}

/// Name, meaning and description.
type Row = (&'static str, Operator, &'static str);

const EQ: Row = ("eq", Operator::Compare(Eq), "Equal.");
const NE: Row = ("ne", Operator::Compare(Ne), "Not equal, or null.");
const IN: Row = ("in", Operator::In(true), "Equal to one of these; at most 1,000.");
const NOT_IN: Row = ("notIn", Operator::In(false), "Equal to none of these, or null; at most 1,000.");
const GT: Row = ("gt", Operator::Compare(Gt), "Greater than.");
const GTE: Row = ("gte", Operator::Compare(Gte), "Greater than or equal.");
const LT: Row = ("lt", Operator::Compare(Lt), "Less than.");
const LTE: Row = ("lte", Operator::Compare(Lte), "Less than or equal.");
const IS_NULL: Row = ("isNull", Operator::Empty, "Whether the value is null.");

const TEXT: &[Row] = &[
    EQ,
    NE,
    IN,
    NOT_IN,
    ("eqIgnoreCase", Operator::Like("", ""), "Equal, ignoring case."),
    ("contains", Operator::Like("%", "%"), "Contains this text, ignoring case."),
    ("startsWith", Operator::Like("", "%"), "Starts with this text, ignoring case."),
    ("endsWith", Operator::Like("%", ""), "Ends with this text, ignoring case."),
    ("gt", Operator::Compare(Gt), "After this text in alphabetical order."),
    ("gte", Operator::Compare(Gte), "After this text in alphabetical order, or equal."),
    ("lt", Operator::Compare(Lt), "Before this text in alphabetical order."),
    ("lte", Operator::Compare(Lte), "Before this text in alphabetical order, or equal."),
    IS_NULL,
];
const NAME: &[Row] = &[EQ, NE, IN, NOT_IN, IS_NULL];
const ORDERED: &[Row] = &[EQ, NE, IN, NOT_IN, GT, GTE, LT, LTE, IS_NULL];
const BOOLEAN: &[Row] = &[EQ, IS_NULL];
const LIST: &[Row] = &[
    ("has", Operator::Has, "The list contains this item."),
    ("hasAny", Operator::HasSeveral(false), "The list contains at least one of these items."),
    ("hasAll", Operator::HasSeveral(true), "The list contains all of these items."),
    ("isEmpty", Operator::Empty, "Whether the list is empty."),
];
const PARTS: &[Row] = &[
    ("some", Operator::Part(true), "At least one item matches."),
    ("none", Operator::Part(false), "No item matches."),
    ("isEmpty", Operator::Empty, "Whether the list is empty."),
];
const JSON: &[Row] =
    &[("contains", Operator::Contains, "Contains this JSON: the same values at the same paths.")];

/// The operators of a count.
pub(crate) const COUNTS: &[Row] = &[
    ("eq", Operator::Compare(Eq), "Equal."),
    ("ne", Operator::Compare(Ne), "Not equal."),
    ("gt", Operator::Compare(Gt), "Greater than."),
    ("gte", Operator::Compare(Gte), "Greater than or equal."),
    ("lt", Operator::Compare(Lt), "Less than."),
    ("lte", Operator::Compare(Lte), "Less than or equal."),
];

/// The operators of a kind.
pub(crate) fn of(kind: Kind) -> &'static [Row] {
    match kind {
        Kind::Text => TEXT,
        Kind::Choice(_) | Kind::Id(_) => NAME,
        Kind::Integer | Kind::Long | Kind::Decimal | Kind::Instant | Kind::Date => ORDERED,
        Kind::Boolean => BOOLEAN,
        Kind::Texts | Kind::Choices(_) => LIST,
        Kind::Parts(_) => PARTS,
        Kind::Json => JSON,
    }
}

/// The input of a kind's operators.
pub(crate) fn describe(kind: Kind, registry: &mut Registry) -> String {
    let operand = match kind {
        Kind::Texts => "String!".to_owned(),
        Kind::Parts(parts) => describe_part(parts, registry),
        Kind::Choices(choice) => Kind::Choice(choice).describe(registry),
        kind => kind.describe(registry),
    };
    let operand = operand.trim_end_matches('!').to_owned();
    let me = match kind {
        Kind::Texts | Kind::Choices(_) => format!("{operand}ListFilter"),
        Kind::Parts(parts) => format!("{}ListFilter", parts.name),
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
        let about = "A condition on a value: every operator that is given must hold. A null value matches no comparison.";
        registry::input_object_named(&me, about, fields)
    })
}

/// The filter of one part.
fn describe_part(parts: Parts, registry: &mut Registry) -> String {
    let text = describe(Kind::Text, registry);
    let me = format!("{}Filter", parts.name);
    registry::define(registry, &me.clone(), |_| {
        let field = |field: &PartField| {
            registry::input(field.name, &text, &format!("A condition on `{}`.", field.name))
        };
        let about = "A condition on an item: every field that is given must match.";
        registry::input_object_named(&me, about, parts.fields.iter().map(field))
    })
}

/// The input of a count's operators.
pub(crate) fn describe_counts(registry: &mut Registry) -> String {
    let me = "CountFilter".to_owned();
    registry::define(registry, &me.clone(), |_| {
        let fields = COUNTS.iter().map(|(name, _, about)| registry::input(name, "Int", about));
        registry::input_object_named(&me, "A condition on a number of records.", fields)
    })
}

/// That the list of this field has all of these texts, or any; nothing for a field that is no list.
pub(crate) fn has(column: &Column, texts: Vec<String>, all: bool) -> Option<Condition> {
    let term = || column.term.clone();
    match column.kind {
        Kind::Texts | Kind::Choices(_) if all => Some(Condition::Contains(term(), Value::Texts(texts))),
        Kind::Texts | Kind::Choices(_) => Some(Condition::Overlaps(term(), texts)),
        _ => None,
    }
}
