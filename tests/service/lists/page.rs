//! Pages of lists in memory.

use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::{
    evaluate::{listed, sorted},
    fixture::{Fixture, Row},
    request::{List, Size},
    tables::Table,
};
use crate::harness::Client;

/// How many rows a page has unless told, as the schema says.
const DEFAULT_PAGE: usize = 50;

/// The lists of a case, and all rows in the order of each, together with what the service calls
/// their places. Cursors are opaque, so they are asked for.
pub(super) struct Lists<'a> {
    lists: &'a [List],
    orders: Vec<Vec<(&'a Row, String)>>,
}

/// A page.
#[derive(Clone)]
pub(super) struct Cut<'w> {
    pub(super) rows: Vec<(&'w Row, String)>,
    pub(super) total: usize,
    more_after: bool,
    more_before: bool,
}

impl Cut<'_> {
    pub(super) fn info(&self) -> Value {
        let cursor = |row: Option<&(&Row, String)>| row.map(|(_, cursor)| cursor.clone());
        json!({
            "hasNextPage": self.more_after, "hasPreviousPage": self.more_before,
            "startCursor": cursor(self.rows.first()), "endCursor": cursor(self.rows.last()),
        })
    }
}

impl<'a> Lists<'a> {
    /// Asks for the whole list in each order, and holds that to the order in memory.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn read(
        client: &Client,
        fixture: &'a Fixture,
        table: &Table,
        lists: &'a [List],
    ) -> Result<Self, String> {
        let mut orders = vec![];
        for list in lists {
            let cursors = cursors(client, fixture, table, &list.order).await?;
            orders.push(sorted(fixture, table, &list.order).into_iter().zip(cursors).collect());
        }
        Ok(Self { lists, orders })
    }

    /// A page of the list of this number: of all rows, or of those of a parent.
    pub(super) fn cut<'w>(
        &self,
        fixture: &'w Fixture,
        table: &'static Table,
        list: usize,
        parent: Option<(&str, &Value)>,
    ) -> Cut<'w>
    where
        'a: 'w,
    {
        let (requested, whole) = (&self.lists[list], &self.orders[list]);
        let of_parent = |row: &Row| parent.is_none_or(|(holder, id)| row[holder] == *id);
        let passes = |row: &Row| {
            let filter = requested.filter.as_ref().unwrap_or(&Value::Null);
            of_parent(row) && listed(fixture, table, row, filter, requested.deleted.unwrap_or("EXCLUDE"))
        };
        let (after, before) = (self.place(list, requested.after), self.place(list, requested.before));
        let between = |place: usize| {
            after.is_none_or(|after| place > after) && before.is_none_or(|before| place < before)
        };
        let all: Vec<_> = whole.iter().enumerate().filter(|(_, (row, _))| passes(row)).collect();
        let total = all.len();
        let mut rows: Vec<_> =
            all.into_iter().filter(|(place, _)| between(*place)).map(|(_, row)| row.clone()).collect();
        let (more_after, more_before) = match requested.size {
            Some(Size::Last(size)) => {
                let left_out = rows.len().saturating_sub(size);
                rows.drain(..left_out);
                (before.is_some(), left_out > 0)
            }
            Some(Size::First(_)) | None => {
                let size = if let Some(Size::First(size)) = requested.size { size } else { DEFAULT_PAGE };
                let more = rows.len() > size;
                rows.truncate(size);
                (more, after.is_some())
            }
        };
        Cut { rows, total, more_after, more_before }
    }

    /// The place in the whole list that a cursor means.
    fn place(&self, list: usize, index: Option<Index>) -> Option<usize> {
        let rows = self.orders[list].len();
        index.filter(|_| rows > 0).map(|index| index.index(rows))
    }

    /// The arguments of the list of this number, by their names.
    pub(super) fn arguments(&self, list: usize) -> Map<String, Value> {
        let requested = &self.lists[list];
        let mut arguments = Map::new();
        let mut give = |name: &str, value: Value| {
            arguments.insert(name.to_owned(), value);
        };
        if let Some(filter) = &requested.filter {
            give("where", filter.clone());
        }
        if let Some(deleted) = requested.deleted {
            give("deleted", json!(deleted));
        }
        if !requested.order.is_empty() {
            give("orderBy", json!(requested.order));
        }
        match requested.size {
            Some(Size::First(size)) => give("first", json!(size)),
            Some(Size::Last(size)) => give("last", json!(size)),
            None => {}
        }
        for (name, index) in [("after", requested.after), ("before", requested.before)] {
            if let Some(place) = self.place(list, index) {
                give(name, json!(self.orders[list][place].1));
            }
        }
        arguments
    }
}

/// The cursors of all rows in an order.
async fn cursors(
    client: &Client,
    fixture: &Fixture,
    table: &Table,
    order: &[Value],
) -> Result<Vec<String>, String> {
    let (name, many, order) = (table.name, table.many, json!(order));
    let query = format!(
        "query ($orderBy: [{name}OrderBy!]) {{ \
         {many}(first: 200, orderBy: $orderBy, deleted: INCLUDE) \
         {{ edges {{ cursor node {{ id }} }} }} }}"
    );
    let answer = client.run(&query, json!({ "orderBy": order })).await;
    let edges = answer.body["data"][many]["edges"].as_array();
    let edges = edges.ok_or_else(|| format!("the whole list in the order {order}: {}", answer.body))?;
    let found: Value = edges.iter().map(|edge| edge["node"]["id"].clone()).collect();
    let expected: Value =
        sorted(fixture, table, order.as_array().unwrap()).iter().map(|row| row["id"].clone()).collect();
    if found != expected {
        return Err(format!("the whole list in the order {order}\nexpected {expected}\nanswered {found}"));
    }
    Ok(edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).collect())
}
