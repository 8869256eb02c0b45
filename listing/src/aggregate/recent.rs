//! The last periods up to now: the last twelve months, the current one included.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::unit::TimeUnit;

/// The day on which the first of the last periods begins, where the last one contains `today`. Nothing if
/// there is no such day.
pub(crate) fn first_day(unit: TimeUnit, periods: u32, today: NaiveDate) -> Option<NaiveDate> {
    let before = periods.checked_sub(1)?;
    let month = |day: NaiveDate, month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1);
    match unit {
        TimeUnit::Hour | TimeUnit::Day => today.checked_sub_days(Days::new(before.into())),
        TimeUnit::Week => {
            let monday = Days::new(today.weekday().num_days_from_monday().into());
            today.checked_sub_days(monday)?.checked_sub_days(Days::new(7 * u64::from(before)))
        }
        TimeUnit::Month => month(today, today.month())?.checked_sub_months(Months::new(before)),
        TimeUnit::Quarter => {
            let first = today.month0() / 3 * 3 + 1;
            month(today, first)?.checked_sub_months(Months::new(before.checked_mul(3)?))
        }
        TimeUnit::Year => month(today, 1)?.checked_sub_months(Months::new(before.checked_mul(12)?)),
    }
}

/// The instant at which the first of the last periods begins, where the last one contains `now`.
pub(crate) fn first_instant(
    unit: TimeUnit,
    periods: u32,
    now: DateTime<Utc>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let local = now.with_timezone(&zone);
    if unit == TimeUnit::Hour {
        let into_hour = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
            + TimeDelta::nanoseconds(i64::from(local.nanosecond()));
        let before = TimeDelta::hours(i64::from(periods.checked_sub(1)?));
        return now.checked_sub_signed(into_hour)?.checked_sub_signed(before);
    }
    let midnight = first_day(unit, periods, local.date_naive())?.and_time(NaiveTime::MIN);
    // A zone that leaves out midnight, or a whole day, begins with the first time that there is.
    let steps = (0..=200).map(|step| midnight.checked_add_signed(TimeDelta::minutes(15 * step)));
    let mut instants = steps.filter_map(|wall| zone.from_local_datetime(&wall?).earliest());
    instants.next().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_periods_include_the_current_one() {
        let now = "2026-03-01T22:45:10.5Z".parse().unwrap();
        for (unit, periods, zone, expected) in [
            (TimeUnit::Month, 12, Tz::Europe__Vienna, "2025-03-31T22:00:00Z"),
            (TimeUnit::Month, 1, Tz::UTC, "2026-03-01T00:00:00Z"),
            (TimeUnit::Day, 2, Tz::Europe__Vienna, "2026-02-27T23:00:00Z"),
            (TimeUnit::Week, 2, Tz::UTC, "2026-02-16T00:00:00Z"),
            (TimeUnit::Quarter, 2, Tz::UTC, "2025-10-01T00:00:00Z"),
            (TimeUnit::Year, 3, Tz::Asia__Tokyo, "2023-12-31T15:00:00Z"),
            (TimeUnit::Hour, 2, Tz::Asia__Kolkata, "2026-03-01T21:30:00Z"),
        ] {
            let first = first_instant(unit, periods, now, zone);
            assert_eq!(first, Some(expected.parse().unwrap()), "{unit:?} {periods} {zone}");
        }
    }

    #[test]
    fn a_day_that_a_zone_left_out_begins_with_the_next() {
        // In Samoa the day after the 29th of December 2011 was the 31st.
        let now = "2011-12-31T12:00:00Z".parse().unwrap();
        let first = first_instant(TimeUnit::Day, 3, now, Tz::Pacific__Apia);
        assert_eq!(first, Some("2011-12-30T10:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_no_calendar_has_is_nothing() {
        let now = "2026-03-01T22:45:10Z".parse().unwrap();
        for unit in [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Year] {
            assert_eq!(first_instant(unit, 0, now, Tz::UTC), None, "{unit:?}");
        }
        assert_eq!(first_instant(TimeUnit::Year, u32::MAX, now, Tz::UTC), None);
    }
}
