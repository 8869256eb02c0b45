//! Time cut into hours, days and months.

use async_graphql::Value as GraphQLValue;
use chrono::{SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use diesel::{QueryResult, sql_types as st};
use tenancy::Failure;

use super::{
    recent::{first_day, first_instant},
    unit::TimeUnit,
};
use crate::{
    kind::Kind,
    read::reading::Reading,
    registry::{self, Registry},
    scalar::time_zone::{TimeZone, unknown_zone},
    sql::render::Out,
    value::Value,
};

/// How many buckets a range has at most.
const MAX_BUCKETS: i64 = 10_000;
/// How many beside other keys, each combination of which gets all of them.
const MAX_BUCKETS_BESIDE: i64 = 1000;

/// How a field is cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) unit: TimeUnit,
    /// The zone in which its days begin; nothing for days of the calendar, which begin everywhere.
    zone: Option<Tz>,
    /// From, and up to but without: every bucket in between is answered, also an empty one.
    pub(crate) range: Option<(Value, Value)>,
}

impl Bucket {
    /// Reads how a field of this kind is cut.
    pub(crate) fn read(kind: Kind, given: GraphQLValue, reading: &mut Reading<'_>) -> Result<Self, Failure> {
        let zone = (kind == Kind::Instant).then(|| zone_of(reading));
        let mut bucket = Self { unit: TimeUnit::Day, zone, range: None };
        let (mut from, mut to, mut last, mut cut) = (None, None, None, false);
        for (name, given) in reading.object(given)? {
            reading.under(&name, |reading| {
                let instant = |given| kind.read(given).map_err(|message| reading.wrong(message));
                match name.as_str() {
                    "bucket" => {
                        let unit = async_graphql::InputType::parse(Some(given));
                        bucket.unit = unit.map_err(|_| reading.wrong("There is no such unit of time."))?;
                        cut = true;
                    }
                    "zone" if bucket.zone.is_some() => {
                        let GraphQLValue::String(name) = given else {
                            return Err(reading.wrong("This is not the name of a time zone."));
                        };
                        let zone: Tz = name.parse().map_err(|_| reading.wrong(unknown_zone(&name)))?;
                        bucket.zone = Some(zone);
                    }
                    "last" => {
                        let periods: i32 = async_graphql::InputType::parse(Some(given))
                            .map_err(|_| reading.wrong("This is not a number."))?;
                        last = Some(periods);
                    }
                    "from" => from = Some(instant(given)?),
                    "to" => to = Some(instant(given)?),
                    _ => return Err(reading.wrong("A bucket has no such field.")),
                }
                Ok(())
            })?;
        }
        if !cut || (kind == Kind::Date && bucket.unit == TimeUnit::Hour) {
            return Err(reading.wrong("Say in `bucket` how long each is; a date has no hours."));
        }
        bucket.range = match (from, to, last) {
            (Some(from), Some(to), None) => Some((from, to)),
            (None, None, Some(last)) => Some(bucket.last(last, reading)?),
            (None, None, None) => None,
            _ => return Err(reading.wrong("Give both `from` and `to`, or `last`, or none of them.")),
        };
        if let Some((from, to)) = &bucket.range {
            bucket.check(from, to, reading)?;
        }
        Ok(bucket)
    }

    /// The range of the last periods, the current one included.
    fn last(&self, periods: i32, reading: &Reading<'_>) -> Result<(Value, Value), Failure> {
        let wrong = || {
            let message = format!("`last` is a number from 1 to {MAX_BUCKETS}, and not before the year 1.");
            reading.wrong(message)
        };
        let periods = u32::try_from(periods).map_err(|_| wrong())?;
        let (now, of_organisation) = (reading.now(), zone_of(reading));
        let range = match self.zone {
            Some(zone) => first_instant(self.unit, periods, now, zone)
                // PostgreSQL keeps microseconds.
                .map(|from| (Value::Instant(from), Value::Instant(now + TimeDelta::microseconds(1)))),
            None => {
                let today = now.with_timezone(&of_organisation).date_naive();
                let first = first_day(self.unit, periods, today);
                first.zip(today.succ_opt()).map(|(from, to)| (Value::Date(from), Value::Date(to)))
            }
        };
        range
            .filter(|(from, _)| Kind::Instant.holds(from, false) || Kind::Date.holds(from, false))
            .ok_or_else(wrong)
    }

    /// What clients see of the instant at which a bucket begins: with the zone's offset, so that it shows
    /// the time on the wall. Nothing for days of the calendar.
    pub(crate) fn start(&self, value: &Value) -> Option<String> {
        match (self.zone, value) {
            (Some(zone), Value::Instant(at)) => {
                Some(at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            _ => None,
        }
    }

    fn check(&self, from: &Value, to: &Value, reading: &Reading<'_>) -> Result<(), Failure> {
        if length(from, to) <= TimeDelta::zero() {
            return Err(reading.wrong("`to` must lie behind `from`."));
        }
        if self.number(from, to) > MAX_BUCKETS {
            let message = format!("This range has more than {MAX_BUCKETS} buckets: take longer ones.");
            return Err(reading.wrong(message));
        }
        Ok(())
    }

    /// How many buckets lie between two instants or days, on average.
    fn number(&self, from: &Value, to: &Value) -> i64 {
        length(from, to).num_seconds() / self.unit.seconds()
    }

    /// Passes if the range may be filled beside other keys.
    pub(crate) fn check_beside(&self, reading: &Reading<'_>) -> Result<(), Failure> {
        match &self.range {
            Some((from, to)) if self.number(from, to) > MAX_BUCKETS_BESIDE => Err(reading.wrong(format!(
                "Beside other fields a range has at most {MAX_BUCKETS_BESIDE} buckets: take longer ones."
            ))),
            _ => Ok(()),
        }
    }

    /// The bucket of a value, as rows are grouped by it: the hour as an instant, anything longer as
    /// the time on the wall where it begins, which no change of the clocks can double.
    pub(crate) fn render<'b>(
        &'b self,
        column: impl FnOnce(&mut Out<'_, 'b>) -> QueryResult<()>,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        out.push_sql("date_trunc('");
        out.push_sql(self.unit.sql());
        out.push_sql("', ");
        column(out)?;
        match self.zone {
            Some(_) if self.unit == TimeUnit::Hour => {
                out.push_sql(", ");
                self.push_zone(out)?;
            }
            Some(_) => {
                out.push_sql(" AT TIME ZONE ");
                self.push_zone(out)?;
            }
            None => out.push_sql("::timestamp"),
        }
        out.push_sql(")");
        Ok(())
    }

    /// All buckets of the range as a table `bucket(start)`, as rows are grouped by them.
    pub(crate) fn render_series<'b>(&'b self, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let Some((from, to)) = &self.range else { return Ok(()) };
        match self.zone {
            Some(_) if self.unit == TimeUnit::Hour => self.render_hours(from, to, out),
            Some(_) => self.render_days(from, to, out),
            None => {
                out.push_sql("(SELECT start FROM generate_series(");
                self.render(|out| from.push(out), out)?;
                out.push_sql(", ");
                to.push(out)?;
                out.push_sql("::timestamp, interval '");
                out.push_sql(self.unit.interval());
                out.push_sql("') AS start WHERE start < ");
                to.push(out)?;
                out.push_sql("::timestamp) AS bucket");
                Ok(())
            }
        }
    }

    /// The hours of the range. Some zones change their clocks by less than an hour, so the range is
    /// walked in smaller steps; the last of them is its very end.
    fn render_hours<'b>(&'b self, from: &'b Value, to: &'b Value, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("(SELECT DISTINCT ");
        let step = |out: &mut Out<'_, 'b>| {
            out.push_sql("step");
            Ok(())
        };
        self.render(step, out)?;
        out.push_sql(" AS start FROM (SELECT generate_series(");
        from.push(out)?;
        out.push_sql(", ");
        to.push(out)?;
        out.push_sql(", interval '15 minutes') UNION ALL SELECT ");
        to.push(out)?;
        out.push_sql(" - interval '1 microsecond') AS walk(step) WHERE step >= ");
        from.push(out)?;
        out.push_sql(" AND step < ");
        to.push(out)?;
        out.push_sql(") AS bucket");
        Ok(())
    }

    /// The days, weeks or longer of the range: those of the calendar on the wall that have an instant
    /// in it. A day that a zone left out has none at all.
    fn render_days<'b>(&'b self, from: &'b Value, to: &'b Value, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let interval = format!("interval '{}'", self.unit.interval());
        out.push_sql("(SELECT start FROM (SELECT start, ");
        self.render_first_instant("start", out)?;
        out.push_sql(" AS first, ");
        self.render_first_instant(&format!("(start + {interval})"), out)?;
        out.push_sql(" AS next FROM generate_series(");
        self.render(|out| from.push(out), out)?;
        out.push_sql(&format!(" - {interval}, "));
        to.push(out)?;
        out.push_sql(" AT TIME ZONE ");
        self.push_zone(out)?;
        out.push_sql(&format!(" + interval '1 day', {interval}) AS start) AS calendar WHERE first < "));
        to.push(out)?;
        out.push_sql(" AND next > ");
        from.push(out)?;
        out.push_sql(" AND first < next) AS bucket");
        Ok(())
    }

    /// What clients see of a bucket: the instant or the day at which it begins.
    pub(crate) fn render_start<'b>(&'b self, key: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        match self.zone {
            Some(_) if self.unit == TimeUnit::Hour => out.push_sql(key),
            Some(_) => self.render_first_instant(key, out)?,
            None => {
                out.push_sql(key);
                out.push_sql("::date");
            }
        }
        Ok(())
    }

    /// The first instant at which the wall shows a time. Of a time that comes twice PostgreSQL takes
    /// the second; of one that is left out, the instant at which the clocks are set.
    fn render_first_instant<'b>(&'b self, wall: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let instant = |back: &str, out: &mut Out<'_, 'b>| -> QueryResult<()> {
            out.push_sql(&format!("({wall} AT TIME ZONE "));
            self.push_zone(out)?;
            out.push_sql(&format!(" - interval '{back}')"));
            Ok(())
        };
        out.push_sql("CASE");
        // As far as clocks have been set back.
        for back in ["2 hours", "1 hour", "30 minutes"] {
            out.push_sql(" WHEN ");
            instant(back, out)?;
            out.push_sql(" AT TIME ZONE ");
            self.push_zone(out)?;
            out.push_sql(&format!(" = {wall} THEN "));
            instant(back, out)?;
        }
        out.push_sql(" ELSE ");
        instant("0", out)?;
        out.push_sql(" END");
        Ok(())
    }

    fn push_zone<'b>(&'b self, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        match &self.zone {
            Some(zone) => out.push_bind_param::<st::Text, _>(zone.name()),
            None => Ok(()),
        }
    }
}

/// The zone of the organisation that reads.
fn zone_of(reading: &Reading<'_>) -> Tz {
    reading.session().user().ok().and_then(|user| user.time_zone).unwrap_or(Tz::UTC)
}

fn length(from: &Value, to: &Value) -> TimeDelta {
    match (from, to) {
        (Value::Instant(from), Value::Instant(to)) => *to - *from,
        (Value::Date(from), Value::Date(to)) => *to - *from,
        _ => TimeDelta::zero(),
    }
}

/// The input that says how a field of this kind is cut.
pub(crate) fn describe(kind: Kind, registry: &mut Registry) -> String {
    let unit = <TimeUnit as async_graphql::InputType>::create_type_info(registry);
    let zone = <TimeZone as async_graphql::InputType>::create_type_info(registry);
    let scalar = kind.describe(registry);
    let scalar = scalar.trim_end_matches('!');
    let (me, days) = if kind == Kind::Date { ("DateBucket", true) } else { ("DateTimeBucket", false) };
    registry::define(registry, me, |_| {
        let about_to = "The end of the range, exclusive. Requires `from`.";
        let about_from = "The start of the range, inclusive. Requires `to`. Rows outside the range do not count, and \
                          every bucket of the range is returned, empty ones included.";
        let about_last = "The range of this many periods up to now, the current one included: 12 months.";
        let mut fields = vec![
            registry::input("bucket", &unit, "The length of a period."),
            registry::input("from", scalar, about_from),
            registry::input("to", scalar, about_to),
            registry::input("last", "Int", about_last),
        ];
        if !days {
            let about = "The time zone whose days are counted. By default, the organisation's.";
            fields.push(registry::input("zone", zone.trim_end_matches('!'), about));
        }
        registry::input_object_named(me, "Groups by periods of time.", fields)
    })
}
