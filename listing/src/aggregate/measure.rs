//! What an aggregate can say of a field.

use tenancy::Failure;

use crate::{
    any::AnyEntity,
    field::Field,
    kind::Kind,
    read::{operator, reading::Reading},
    registry::{self, Registry},
    sql::column::Column,
};

/// How many figures one aggregate has at most.
pub(crate) const MAX_FIGURES: usize = 64;

/// What is made of the values of one field in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    /// How many different ones there are.
    CountDistinct,
    /// All of them together.
    Sum,
    /// Their arithmetic mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The least value that half of them do not exceed, and so on: values that are there.
    P50,
    P90,
    P99,
    /// Of yes and no, how many are yes.
    Share,
}

/// A figure: a function of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Measure {
    pub(crate) function: Function,
    pub(crate) column: Column,
}

impl Function {
    pub(crate) const ALL: [Self; 9] = [
        Self::CountDistinct,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::Share,
    ];

    /// As the aggregate's field is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CountDistinct => "countDistinct",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Share => "share",
        }
    }

    /// The function of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// As type names spell it. Functions of the same fields with values of the same types share one.
    fn noun(self) -> &'static str {
        match self {
            Self::CountDistinct => "DistinctCounts",
            Self::Sum | Self::Avg => "Totals",
            Self::Min | Self::Max => "Extremes",
            Self::P50 | Self::P90 | Self::P99 => "Percentiles",
            Self::Share => "Shares",
        }
    }

    /// What the values of a type are.
    fn values(self) -> &'static str {
        match self {
            Self::CountDistinct => "Numbers of different values",
            Self::Sum | Self::Avg => "Sums or means",
            Self::Min | Self::Max => "Least or greatest values",
            Self::P50 | Self::P90 | Self::P99 => "Percentiles",
            Self::Share => "Shares of true",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::CountDistinct => "The number of different values of each field. Null values do not count.",
            Self::Sum => "The exact sum of each field; null if the group has no values.",
            Self::Avg => {
                "The mean of each field, to at least 16 digits; null if the group has no values. Null values do not count."
            }
            Self::Min => "The least value of each field; null if the group has no values.",
            Self::Max => "The greatest value of each field; null if the group has no values.",
            Self::P50 => {
                "The median of each field: the least of its values that 50 % do not exceed; null if the group has no values."
            }
            Self::P90 => {
                "The least value of each field that 90 % do not exceed; null if the group has no values."
            }
            Self::P99 => {
                "The least value of each field that 99 % do not exceed; null if the group has no values."
            }
            Self::Share => {
                "The share of rows for which each field is true, from 0 to 1; null if the group has no values. Null values do not count."
            }
        }
    }

    /// Whether it means something for a field.
    fn suits(self, field: &Field) -> bool {
        let kind = field.shape.kind;
        if !field.has_figures() {
            return false;
        }
        match self {
            Self::CountDistinct => kind.is_ordered(),
            Self::Sum | Self::Avg | Self::P50 | Self::P90 | Self::P99 => field.measured,
            Self::Share => kind == Kind::Boolean,
            Self::Min | Self::Max => {
                field.measured || matches!(kind, Kind::Text | Kind::Instant | Kind::Date)
            }
        }
    }

    /// What kind of value it makes of one of this kind.
    pub(crate) fn kind(self, kind: Kind) -> Kind {
        match self {
            Self::CountDistinct => Kind::Integer,
            // A sum of whole numbers may be longer than any of them.
            Self::Sum | Self::Avg | Self::Share => Kind::Decimal,
            Self::Min | Self::Max | Self::P50 | Self::P90 | Self::P99 => kind,
        }
    }

    /// The SQL before the column and behind it.
    pub(crate) fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::CountDistinct => ("count(DISTINCT ", ")"),
            Self::Sum => ("sum(", ")"),
            Self::Avg => ("avg(", ")"),
            Self::Min => ("min(", ")"),
            Self::Max => ("max(", ")"),
            Self::P50 => ("percentile_disc(0.5) WITHIN GROUP (ORDER BY ", ")"),
            Self::P90 => ("percentile_disc(0.9) WITHIN GROUP (ORDER BY ", ")"),
            Self::P99 => ("percentile_disc(0.99) WITHIN GROUP (ORDER BY ", ")"),
            Self::Share => ("avg(", "::integer)"),
        }
    }
}

/// The field that a function is asked of.
pub(crate) fn measure(
    entity: &'static AnyEntity,
    function: Function,
    name: &str,
    reading: &Reading<'_>,
) -> Result<Option<Measure>, Failure> {
    if !entity.field(name).is_some_and(|field| function.suits(field)) {
        return Ok(None);
    }
    Ok(reading.column(entity, name)?.map(|column| Measure { function, column }))
}

/// The object that holds the figures of one function.
pub(crate) fn type_name(entity: &AnyEntity, function: Function) -> String {
    format!("{}{}", entity.name, function.noun())
}

/// The object that holds the figures of one function, and what it is for; nothing where the entity
/// has no field that suits.
pub(crate) fn describe(
    entity: &'static AnyEntity,
    function: Function,
    registry: &mut Registry,
) -> Option<(String, &'static str)> {
    let me = type_name(entity, function);
    let suited: Vec<&Field> = entity.fields().filter(|field| function.suits(field)).collect();
    if suited.is_empty() {
        return None;
    }
    let mut fields = vec![];
    for field in suited {
        let kind = function.kind(field.shape.kind).describe(registry);
        let kind = if function == Function::CountDistinct { &kind } else { kind.trim_end_matches('!') };
        let about = format!("Of `{}`.", field.shape.name);
        fields.push(registry::output(field.shape.name, kind, &about, vec![]));
    }
    let about = format!("{} of {}, field by field.", function.values(), entity.many);
    let described = registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields));
    Some((described, function.about()))
}

/// The input that filters groups by the figures of one function.
pub(crate) fn describe_having(
    entity: &'static AnyEntity,
    function: Function,
    registry: &mut Registry,
) -> Option<String> {
    let me = format!("{}Having{}", entity.name, function.noun());
    let suited: Vec<&Field> = entity.fields().filter(|field| function.suits(field)).collect();
    if suited.is_empty() {
        return None;
    }
    let mut fields = vec![];
    for field in suited {
        let operators = match function {
            Function::CountDistinct => operator::describe_counts(registry),
            _ => operator::describe(function.kind(field.shape.kind), registry),
        };
        let about = format!("A condition on that of `{}`.", field.shape.name);
        fields.push(registry::input(field.shape.name, &operators, &about));
    }
    let about = format!("{} of {}: every condition that is given must hold.", function.values(), entity.many);
    Some(registry::define(registry, &me.clone(), |_| registry::input_object_named(&me, &about, fields)))
}

/// More figures than one aggregate has.
pub(crate) fn too_many() -> Failure {
    Failure::bad_request("", format!("Ask for at most {MAX_FIGURES} figures at once."))
}
