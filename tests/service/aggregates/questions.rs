//! Random questions about the rows of a fixture.

use chrono::{NaiveDate, TimeDelta};

use super::{
    ZONES,
    cell::{Cell, Kind},
    clock::{UNITS, Unit},
    fixture::Fixture,
    model::{Bucket, By, Field, Filter, Function, Group, Key, Measure, Operator, Question},
    rng::Rng,
};

impl Function {
    /// Whether the service offers it for a field.
    fn suits(self, field: Field) -> bool {
        // Nobody adds up revisions.
        let measured = field.kind == Kind::Number && field.path != "revision";
        match self {
            Self::CountDistinct => true,
            Self::Sum | Self::Avg | Self::P50 | Self::P90 | Self::P99 => measured,
            Self::Share => field.kind == Kind::Bool,
            Self::Min | Self::Max => {
                measured || matches!(field.kind, Kind::Text | Kind::Instant | Kind::Date)
            }
        }
    }
}

impl Fixture {
    /// Any question at all.
    pub(super) fn question(&self, rng: &mut Rng) -> Question {
        let (keys, measures) = (self.keys(rng), self.measures(rng));
        let filter = self.filter(rng, 2);
        let mut question = Question { filter, keys, measures, having: vec![], order: vec![], first: None };
        question.tidy();
        let mut things = vec![By::Count];
        things.extend(question.keys.iter().map(|key| By::Key(key.field)));
        things.extend(question.measures.iter().map(|measure| By::Figure(*measure)));
        question.order = rng.some(&things, 4).into_iter().map(|by| (by, rng.once_in(2))).collect();
        if rng.once_in(2) {
            let groups = question.answer(&self.rows);
            question.having = having(rng, &question.measures, &groups);
        }
        question.first = rng.once_in(2).then(|| rng.count(12));
        question
    }

    fn keys(&self, rng: &mut Rng) -> Vec<Key> {
        let fields: Vec<Field> = self.own.iter().chain(&self.related).copied().collect();
        let (mut keys, mut ranged) = (vec![], false);
        for field in rng.some(&fields, 3) {
            let bucket = matches!(field.kind, Kind::Instant | Kind::Date).then(|| {
                let unit = rng.one(if field.kind == Kind::Date { &UNITS[..5] } else { &UNITS });
                let zone = rng.one(&ZONES);
                let requested = !ranged && self.own.contains(&field) && rng.once_in(2);
                ranged |= requested;
                Bucket { unit, zone, range: requested.then(|| self.range(rng, field, unit)) }
            });
            keys.push(Key { field, bucket });
        }
        keys
    }

    /// A stretch of time of a few buckets, with a row near it if there are any.
    fn range(&self, rng: &mut Rng, field: Field, unit: Unit) -> (Cell, Cell) {
        let days = match unit {
            Unit::Hour | Unit::Day => 1,
            Unit::Week => 7,
            Unit::Month => 30,
            Unit::Quarter => 90,
            Unit::Year => 360,
        };
        let leap_day = NaiveDate::from_ymd_opt(2012, 2, 29).unwrap();
        let cell = self.value(rng, field);
        if field.kind == Kind::Date {
            let near = if let Cell::Date(day) = cell { day } else { leap_day };
            let from = near - TimeDelta::days(rng.below(3 * days));
            return (Cell::Date(from), Cell::Date(from + TimeDelta::days(1 + rng.below(9 * days))));
        }
        let near =
            if let Cell::Instant(at) = cell { at } else { leap_day.and_hms_opt(12, 0, 0).unwrap().and_utc() };
        let seconds = if unit == Unit::Hour { 3600 } else { days * 86_400 };
        let from = near - TimeDelta::seconds(rng.below(3 * seconds));
        let to = from + TimeDelta::microseconds(1 + rng.below(9 * seconds) * 1_000_003);
        (Cell::Instant(from), Cell::Instant(to))
    }

    /// The value of a field in some row; null if there are no rows.
    fn value(&self, rng: &mut Rng, field: Field) -> Cell {
        if self.rows.is_empty() { Cell::Null } else { rng.one(&self.rows)[field.path].clone() }
    }

    fn measures(&self, rng: &mut Rng) -> Vec<Measure> {
        let of = |function: Function| {
            let suited = self.own.iter().filter(move |field| function.suits(**field));
            suited.map(move |field| Measure { function, field: *field })
        };
        let all: Vec<Measure> = Function::ALL.into_iter().flat_map(of).collect();
        rng.some(&all, 7)
    }

    fn filter(&self, rng: &mut Rng, depth: usize) -> Filter {
        let several = |rng: &mut Rng| (0..rng.count(3)).map(|_| self.filter(rng, depth - 1)).collect();
        match rng.below(6) {
            // An `or` of nothing lets nothing through, and is the rarest.
            0 if depth > 0 && rng.once_in(2) => Filter::Any(several(rng)),
            0 | 1 if depth > 0 => Filter::Not(Box::new(self.filter(rng, depth - 1))),
            2 if depth > 0 => Filter::All(several(rng)),
            3 => self.condition(rng),
            _ => Filter::All(vec![]),
        }
    }

    fn condition(&self, rng: &mut Rng) -> Filter {
        let fields: Vec<Field> = self.own.iter().filter(|field| field.path != "revision").copied().collect();
        let field = rng.one(&fields);
        let value = self.value(rng, field);
        if value == Cell::Null {
            return Filter::IsNull(field, rng.once_in(2));
        }
        match field.kind {
            Kind::Bool => Filter::Is(field, Operator::Eq, value),
            _ if rng.once_in(3) => {
                let mut values = vec![value, self.value(rng, field), self.value(rng, field)];
                values.retain(|value| *value != Cell::Null);
                Filter::In(field, values, rng.once_in(2))
            }
            Kind::Choice | Kind::Id(_) => Filter::Is(field, rng.one(&Operator::ALL[..2]), value),
            _ => Filter::Is(field, rng.one(&Operator::ALL), value),
        }
    }
}

/// Bounds that some of these groups may well lie on.
fn having(rng: &mut Rng, measures: &[Measure], groups: &[Group]) -> Vec<(Option<Measure>, Operator, Cell)> {
    let mut having = vec![];
    for place in rng.some(&(0..=measures.len()).collect::<Vec<_>>(), 2) {
        if groups.is_empty() {
            break;
        }
        let (group, measure) = (rng.one(groups), measures.get(place).copied());
        let value = measure.map_or(group.count, |_| group.figures[place].clone());
        let operator = rng.one(&Operator::ALL);
        match (value, measure.map(|measure| measure.function)) {
            (Cell::Null, _) => {}
            // A mean may have no end; a bound has one.
            (Cell::Number(mean), Some(Function::Avg | Function::Share)) => {
                having.push((measure, operator, Cell::Number(mean.with_scale(2))));
            }
            (value, _) => having.push((measure, operator, value)),
        }
    }
    having
}
