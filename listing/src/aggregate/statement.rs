use diesel::QueryResult;

use super::{
    group::{GroupKey, MAX_KEYS},
    measure::{Function, MAX_FIGURES, Measure},
};
use crate::sql::{
    condition::{Comparison, Condition, Table},
    order::Direction,
    render::{Conjunction, Out},
    select::join_each,
    values::Render,
};

/// Figures of the rows of a table, group by group: of each, its keys, the number of its rows, and
/// the figures.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) table: Table,
    pub(crate) filter: Vec<Condition>,
    pub(crate) keys: Vec<GroupKey>,
    pub(crate) measures: Vec<Measure>,
    /// Which groups are wanted.
    pub(crate) having: Vec<Condition>,
    pub(crate) order: Vec<(&'static str, Direction)>,
    pub(crate) limit: usize,
}

/// What a statement calls the number of rows.
pub(crate) const COUNT: &str = "n";
/// What it calls its keys and figures, in order.
const KEYS: [&str; MAX_KEYS] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];
const FIGURES: [&str; MAX_FIGURES] = [
    "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14", "m15",
    "m16", "m17", "m18", "m19", "m20", "m21", "m22", "m23", "m24", "m25", "m26", "m27", "m28", "m29", "m30",
    "m31", "m32", "m33", "m34", "m35", "m36", "m37", "m38", "m39", "m40", "m41", "m42", "m43", "m44", "m45",
    "m46", "m47", "m48", "m49", "m50", "m51", "m52", "m53", "m54", "m55", "m56", "m57", "m58", "m59", "m60",
    "m61", "m62", "m63",
];

/// What the statement calls the key at this place.
pub(crate) fn key_name(place: usize) -> Option<&'static str> {
    KEYS.get(place).copied()
}

/// What the statement calls the figure at this place.
pub(crate) fn figure_name(place: usize) -> Option<&'static str> {
    FIGURES.get(place).copied()
}

impl Render for Aggregate {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        let filled = self.keys.iter().zip(KEYS).find(|(key, _)| key.is_filled());
        if filled.is_some() {
            out.push_sql("WITH met AS (");
            self.render_groups(&mut out)?;
            out.push_sql(") ");
        }
        out.push_sql("SELECT ");
        for (key, column) in self.keys.iter().zip(KEYS) {
            match &key.bucket {
                Some(bucket) => bucket.render_start(column, &mut out)?,
                None => out.push_sql(column),
            }
            out.push_sql(", ");
        }
        out.push_sql(COUNT);
        for (_, column) in self.measures.iter().zip(FIGURES) {
            out.push_sql(", ");
            out.push_sql(column);
        }
        out.push_sql(" FROM (");
        match filled {
            Some((key, column)) => self.render_filled(key, column, &mut out)?,
            None => self.render_groups(&mut out)?,
        }
        out.push_sql(") AS groups");
        let mut and = Conjunction::WHERE;
        for condition in &self.having {
            and.next(&mut out);
            condition.render("groups", 1, &mut out)?;
        }
        for (at, (column, direction)) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            out.push_sql(column);
            out.push_sql(direction.sql(true));
        }
        out.push_sql(&format!(" LIMIT {}", self.limit));
        Ok(())
    }
}

impl Aggregate {
    fn render_groups<'b>(&'b self, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        for (key, column) in self.keys.iter().zip(KEYS) {
            let term = |out: &mut Out<'_, 'b>| match &key.via {
                Some(via) => key.column.term.render_joined(&via.alias(), out),
                None => key.column.term.render(self.table.name(), 1, out),
            };
            match &key.bucket {
                Some(bucket) => bucket.render(term, out)?,
                None => term(out)?,
            }
            out.push_sql(" AS ");
            out.push_sql(column);
            out.push_sql(", ");
        }
        out.push_sql("count(*) AS ");
        out.push_sql(COUNT);
        for (measure, column) in self.measures.iter().zip(FIGURES) {
            out.push_sql(", ");
            let (before, behind) = measure.function.sql();
            out.push_sql(before);
            measure.column.term.render(self.table.name(), 1, out)?;
            out.push_sql(behind);
            out.push_sql(" AS ");
            out.push_sql(column);
        }
        let joins = |out: &mut Out<'_, 'b>| join_each(self.keys.iter().map(|key| &key.via), &self.table, out);
        self.table.from(joins, self.filter.iter(), out)?;
        for (at, _) in self.keys.iter().enumerate() {
            out.push_sql(if at == 0 { " GROUP BY " } else { ", " });
            out.push_sql(&(at + 1).to_string());
        }
        Ok(())
    }

    /// The groups that were met, and one without rows for every bucket of the range, beside every
    /// combination of the other keys that was met.
    fn render_filled<'b>(
        &'b self,
        key: &'b GroupKey,
        bucket: &str,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        let columns = || self.keys.iter().zip(KEYS).map(|(_, column)| column);
        out.push_sql("SELECT ");
        for column in columns() {
            out.push_sql(if column == bucket { "bucket.start" } else { "other." });
            out.push_sql(if column == bucket { "" } else { column });
            out.push_sql(" AS ");
            out.push_sql(column);
            out.push_sql(", ");
        }
        out.push_sql("coalesce(met.n, 0) AS n");
        for (measure, column) in self.measures.iter().zip(FIGURES) {
            let counts = measure.function == Function::CountDistinct;
            out.push_sql(if counts { ", coalesce(met." } else { ", met." });
            out.push_sql(column);
            out.push_sql(if counts { ", 0) AS " } else { " AS " });
            out.push_sql(column);
        }
        out.push_sql(" FROM ");
        if let Some(series) = &key.bucket {
            // What was met is answered even where clocks did what no calendar foresees.
            out.push_sql("(SELECT start FROM ");
            series.render_series(out)?;
            out.push_sql(&format!(" UNION SELECT {bucket} FROM met) AS bucket"));
        }
        let others: Vec<&str> = columns().filter(|column| *column != bucket).collect();
        if !others.is_empty() {
            out.push_sql(" CROSS JOIN (SELECT DISTINCT ");
            out.push_sql(&others.join(", "));
            out.push_sql(" FROM met) AS other");
        }
        out.push_sql(" LEFT JOIN met ON met.");
        out.push_sql(bucket);
        out.push_sql(" = bucket.start");
        for column in others {
            out.push_sql(&format!(" AND met.{column} IS NOT DISTINCT FROM other.{column}"));
        }
        Ok(())
    }

    /// Only rows in the range of a bucket count.
    pub(crate) fn keep_to_range(&mut self) {
        for key in &self.keys {
            if let Some((from, to)) = key.bucket.as_ref().and_then(|bucket| bucket.range.clone()) {
                self.filter.push(Condition::Is(key.column.term.clone(), Comparison::Gte, from));
                self.filter.push(Condition::Is(key.column.term.clone(), Comparison::Lt, to));
            }
        }
    }
}
