//! Buckets of time as a calendar on the wall would have them, by chrono-tz and by looking: nothing
//! here calculates with offsets, so that it cannot repeat a mistake of the service's.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// From the longest to the shortest.
pub(super) const UNITS: [Unit; 6] =
    [Unit::Year, Unit::Quarter, Unit::Month, Unit::Week, Unit::Day, Unit::Hour];

/// Clocks are set at full quarters of an hour in every zone and year that is looked at here.
const STEP: TimeDelta = TimeDelta::minutes(15);

impl Unit {
    /// As GraphQL spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
            Self::Year => "YEAR",
        }
    }

    /// The day with which the bucket of a day begins.
    pub(super) fn first_day(self, day: NaiveDate) -> NaiveDate {
        let date = |month| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap();
        match self {
            Self::Hour | Self::Day => day,
            Self::Week => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Self::Month => date(day.month()),
            Self::Quarter => date(day.month0() / 3 * 3 + 1),
            Self::Year => date(1),
        }
    }

    /// The first days of all buckets that have a day from `from` on and before `to`.
    pub(super) fn days(self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let mut days: Vec<_> =
            from.iter_days().take_while(|day| *day < to).map(|day| self.first_day(day)).collect();
        days.dedup();
        days
    }

    /// What the wall shows in the whole bucket, and nowhere else: for an hour with the seconds that
    /// its clock is ahead of UTC, because the hour that comes twice is two.
    fn wall(self, zone: Tz, at: DateTime<Utc>) -> (NaiveDateTime, Option<TimeDelta>) {
        let local = at.with_timezone(&zone);
        let wall = local.naive_local();
        let start = self.first_day(wall.date()).and_hms_opt(0, 0, 0).unwrap();
        match self {
            Self::Hour => {
                let ahead = TimeDelta::seconds(local.offset().fix().local_minus_utc().into());
                (start + TimeDelta::hours(wall.hour().into()), Some(ahead))
            }
            _ => (start, None),
        }
    }

    /// The key of the bucket of an instant.
    pub(super) fn key(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let wall = self.wall(zone, at);
        if let (start, Some(ahead)) = wall {
            return (start - ahead).and_utc();
        }
        // No clock is further than this from UTC, and Samoa once left a whole day out.
        let mut first = wall.0.and_utc() - TimeDelta::hours(16);
        while self.wall(zone, first) != wall {
            first += STEP;
            assert!(first - wall.0.and_utc() < TimeDelta::hours(48), "{zone} has no {wall:?}");
        }
        first
    }

    /// The keys of all buckets that overlap a stretch of time, in order.
    pub(super) fn keys(self, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let (mut keys, mut last) = (vec![], None);
        let mut at = from;
        while at < to {
            let wall = self.wall(zone, at);
            if last.replace(wall) != Some(wall) {
                keys.push(self.key(zone, at));
            }
            at = quarter(at) + STEP;
        }
        keys
    }
}

/// The full quarter of an hour at or before an instant.
fn quarter(at: DateTime<Utc>) -> DateTime<Utc> {
    let step = STEP.num_seconds();
    DateTime::from_timestamp(at.timestamp().div_euclid(step) * step, 0).unwrap()
}

/// When clocks were set in a zone, between two years.
pub(super) fn changes(zone: Tz, years: std::ops::Range<i32>) -> Vec<DateTime<Utc>> {
    let first_of =
        |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    let ahead = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix();
    let (mut day, end) = (first_of(years.start), first_of(years.end));
    let mut changes = vec![];
    while day < end {
        let next = day + TimeDelta::days(1);
        if ahead(day) != ahead(next) {
            let mut at = day;
            while ahead(at) == ahead(day) {
                at += STEP;
            }
            changes.push(at);
        }
        day = next;
    }
    changes
}
