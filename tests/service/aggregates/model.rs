//! The model: aggregates computed from rows in memory.

use std::{cmp::Ordering, collections::BTreeMap};

use bigdecimal::BigDecimal;
use chrono_tz::Tz;

use super::{
    cell::{Cell, Kind},
    clock::Unit,
};

/// A row: its fields, and those of related rows with a dot (`company.country`).
pub(super) type Row = BTreeMap<&'static str, Cell>;

/// A field of an entity, or of a related one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// Which rows, or which groups.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Is(Field, Operator, Cell),
    In(Field, Vec<Cell>, bool),
    IsNull(Field, bool),
}

/// How time is cut.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) unit: Unit,
    pub(super) zone: Tz,
    pub(super) range: Option<(Cell, Cell)>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) field: Field,
    pub(super) bucket: Option<Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    P50,
    P90,
    P99,
    Share,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) function: Function,
    pub(super) field: Field,
}

/// What groups are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Count,
    Key(Field),
    Figure(Measure),
}

/// Everything that an aggregate is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) filter: Filter,
    pub(super) keys: Vec<Key>,
    pub(super) measures: Vec<Measure>,
    /// All of these; nothing as the figure stands for the number of rows.
    pub(super) having: Vec<(Option<Measure>, Operator, Cell)>,
    /// Whether downwards.
    pub(super) order: Vec<(By, bool)>,
    pub(super) first: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) keys: Vec<Cell>,
    pub(super) count: Cell,
    pub(super) figures: Vec<Cell>,
}

impl Operator {
    pub(super) const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Gt, Self::Gte, Self::Lt, Self::Lte];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
        }
    }

    /// An empty value compares with nothing, and differs from everything.
    fn holds(self, cell: &Cell, value: &Cell) -> bool {
        if *cell == Cell::Null {
            return self == Self::Ne;
        }
        let order = cell.order(value);
        match self {
            Self::Eq => order == Ordering::Equal,
            Self::Ne => order != Ordering::Equal,
            Self::Gt => order == Ordering::Greater,
            Self::Gte => order != Ordering::Less,
            Self::Lt => order == Ordering::Less,
            Self::Lte => order != Ordering::Greater,
        }
    }
}

impl Filter {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::All(all) => all.iter().all(|filter| filter.holds(row)),
            Self::Any(any) => any.iter().any(|filter| filter.holds(row)),
            Self::Not(filter) => !filter.holds(row),
            Self::Is(field, operator, value) => operator.holds(&row[field.path], value),
            Self::In(field, values, yes) => values.contains(&row[field.path]) == *yes,
            Self::IsNull(field, yes) => (row[field.path] == Cell::Null) == *yes,
        }
    }
}

impl Bucket {
    fn key(&self, cell: &Cell) -> Cell {
        match cell {
            Cell::Instant(at) => Cell::Instant(self.unit.key(self.zone, *at)),
            Cell::Date(day) => Cell::Date(self.unit.first_day(*day)),
            other => other.clone(),
        }
    }

    fn keys(&self) -> Vec<Cell> {
        match &self.range {
            Some((Cell::Instant(from), Cell::Instant(to))) => {
                self.unit.keys(self.zone, *from, *to).into_iter().map(Cell::Instant).collect()
            }
            Some((Cell::Date(from), Cell::Date(to))) => {
                self.unit.days(*from, *to).into_iter().map(Cell::Date).collect()
            }
            other => panic!("no range: {other:?}"),
        }
    }

    fn includes(&self, cell: &Cell) -> bool {
        let Some((from, to)) = &self.range else { return true };
        *cell != Cell::Null && cell.order(from).is_ge() && cell.order(to).is_lt()
    }
}

impl Key {
    fn of(&self, row: &Row) -> Cell {
        let cell = &row[self.field.path];
        self.bucket.as_ref().map_or_else(|| cell.clone(), |bucket| bucket.key(cell))
    }
}

impl Measure {
    fn of(self, rows: &[&Row]) -> Cell {
        let mut values: Vec<&Cell> = rows.iter().map(|row| &row[self.field.path]).collect();
        values.retain(|cell| **cell != Cell::Null);
        values.sort_by(|one, other| one.order(other));
        let sum = || {
            let number = |cell: &&Cell| match cell {
                Cell::Number(number) => number.clone(),
                other => panic!("{other:?} is no number"),
            };
            values.iter().map(number).sum::<BigDecimal>()
        };
        match self.function {
            Function::CountDistinct => {
                let mut different = values.clone();
                different.dedup();
                Cell::count(different.len())
            }
            _ if values.is_empty() => Cell::Null,
            Function::Sum => Cell::Number(sum()),
            Function::Avg => {
                let mean = sum() / BigDecimal::from(u64::try_from(values.len()).unwrap());
                // Equal means are to be equal here, too, whatever they were divided from.
                Cell::Number(mean.with_scale(40))
            }
            Function::Share => {
                let holds = values.iter().filter(|value| ***value == Cell::Bool(true)).count();
                let count = |count: usize| BigDecimal::from(u64::try_from(count).unwrap());
                Cell::Number((count(holds) / count(values.len())).with_scale(40))
            }
            Function::P50 => percentile(&values, 50),
            Function::P90 => percentile(&values, 90),
            Function::P99 => percentile(&values, 99),
            Function::Min => values[0].clone(),
            Function::Max => values[values.len() - 1].clone(),
        }
    }
}

/// The least of these values that so many percent of them do not exceed.
fn percentile(values: &[&Cell], percent: usize) -> Cell {
    let place = (values.len() * percent).div_ceil(100);
    values[place.max(1) - 1].clone()
}

impl Question {
    /// What the service should answer about these rows.
    pub(super) fn answer(&self, rows: &[Row]) -> Vec<Group> {
        let in_range = |row: &&Row| {
            let includes =
                |key: &Key| key.bucket.as_ref().is_none_or(|bucket| bucket.includes(&row[key.field.path]));
            self.filter.holds(row) && self.keys.iter().all(includes)
        };
        let mut met: Vec<(Vec<Cell>, Vec<&Row>)> = vec![];
        if self.keys.is_empty() {
            met.push((vec![], vec![]));
        }
        for row in rows.iter().filter(in_range) {
            let keys: Vec<Cell> = self.keys.iter().map(|key| key.of(row)).collect();
            match met.iter_mut().find(|(known, _)| *known == keys) {
                Some((_, rows)) => rows.push(row),
                None => met.push((keys, vec![row])),
            }
        }
        self.fill(&mut met);
        let group = |(keys, rows): (Vec<Cell>, Vec<&Row>)| {
            let figures = self.measures.iter().map(|measure| measure.of(&rows)).collect();
            Group { keys, count: Cell::count(rows.len()), figures }
        };
        let mut groups: Vec<Group> = met.into_iter().map(group).collect();
        groups.retain(|group| {
            self.having.iter().all(|(measure, operator, value)| {
                operator
                    .holds(&measure.map_or(group.count.clone(), |measure| self.figure(group, measure)), value)
            })
        });
        groups.sort_by(|one, other| self.order(one, other));
        groups.truncate(self.first.unwrap_or(usize::MAX));
        groups
    }

    /// Adds the buckets in which nothing lies, beside every combination of the other keys.
    fn fill(&self, met: &mut Vec<(Vec<Cell>, Vec<&Row>)>) {
        let filled = |key: &Key| key.bucket.as_ref().is_some_and(|bucket| bucket.range.is_some());
        let Some(place) = self.keys.iter().position(filled) else { return };
        let mut others: Vec<Vec<Cell>> = vec![];
        let alone = (self.keys.len() == 1).then(|| vec![Cell::Null]);
        for mut keys in met.iter().map(|(keys, _)| keys.clone()).chain(alone) {
            keys[place] = Cell::Null;
            if !others.contains(&keys) {
                others.push(keys);
            }
        }
        let buckets = self.keys[place].bucket.as_ref().unwrap().keys();
        for (keys, _) in met.iter() {
            assert!(
                buckets.contains(&keys[place]),
                "a row in the range lies in none of its buckets: {keys:?}"
            );
        }
        for other in others {
            for bucket in &buckets {
                let mut keys = other.clone();
                keys[place] = bucket.clone();
                if !met.iter().any(|(known, _)| *known == keys) {
                    met.push((keys, vec![]));
                }
            }
        }
    }

    fn figure(&self, group: &Group, measure: Measure) -> Cell {
        let place = self.measures.iter().position(|known| *known == measure).unwrap();
        group.figures[place].clone()
    }

    /// As asked, and then by the keys.
    fn order(&self, one: &Group, other: &Group) -> Ordering {
        let requested = self.order.iter().map(|(by, down)| {
            let of = |group: &Group| match by {
                By::Count => group.count.clone(),
                By::Figure(measure) => self.figure(group, *measure),
                By::Key(field) => {
                    let place = self.keys.iter().position(|key| key.field == *field).unwrap();
                    group.keys[place].clone()
                }
            };
            let (one, other) = (of(one), of(other));
            let order = one.order(&other);
            // Nothing comes last in either direction.
            if *down && one != Cell::Null && other != Cell::Null { order.reverse() } else { order }
        });
        let keys = one.keys.iter().zip(&other.keys).map(|(one, other)| one.order(other));
        requested.chain(keys).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}
