//! Units of time.

use async_graphql::Enum;

/// How long a bucket is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TimeUnit {
    /// An hour. Where clocks are set back, the hour that occurs twice is two periods.
    Hour,
    /// A calendar day, however many hours it has.
    Day,
    /// A week, beginning on Monday.
    Week,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl TimeUnit {
    /// As PostgreSQL spells it, both as a field and as an interval.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// As PostgreSQL spells an interval of it.
    pub(crate) fn interval(self) -> &'static str {
        match self {
            // There is no interval of that name.
            Self::Quarter => "3 months",
            Self::Hour => "1 hour",
            Self::Day => "1 day",
            Self::Week => "1 week",
            Self::Month => "1 month",
            Self::Year => "1 year",
        }
    }

    /// How long one is on average: the calendar repeats itself after 400 years of 146,097 days.
    pub(crate) fn seconds(self) -> i64 {
        const YEAR: i64 = 146_097 * 86_400 / 400;
        match self {
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => YEAR / 12,
            Self::Quarter => YEAR / 4,
            Self::Year => YEAR,
        }
    }
}
