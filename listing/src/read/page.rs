use std::collections::HashMap;

use async_graphql::{Context, Value as GraphQLValue};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::{argument, given_value},
    limits::{DEFAULT_PAGE, MAX_PAGE},
    read::{
        cursor,
        deleted::{self, Deleted},
        filter, order,
        search::{self, Search},
    },
    registry::{self, Registry},
    sql::{
        column::Column,
        condition::{Condition, Link, Table},
        keyset::KeysetBound,
        order::Key,
        select::{Count, CountPerParent, Join, PerParent, Select},
        values::{Values, values},
    },
    value::Value,
};

/// The longest cursor that is read; an honest one is far below, long texts included.
const MAX_CURSOR: usize = 64 * 1024;

/// Everything that is asked of a list. Hashable, so that equal questions about many parents are one
/// statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Page {
    table: Table,
    filter: Vec<Condition>,
    search: Option<Search>,
    pub(crate) order: Vec<Key>,
    pub(crate) limit: usize,
    /// Counted from the end: `last` instead of `first`.
    backwards: bool,
    pub(crate) after: Option<Vec<Value>>,
    before: Option<Vec<Value>>,
    /// What is read of each row, and together with it.
    pub(crate) columns: Vec<Column>,
    pub(crate) joins: Vec<Join>,
    /// Whether all rows that pass the filter are counted.
    pub(crate) total: bool,
    /// Whether one row more is read than asked, to see whether there are more.
    pub(crate) peek: bool,
}

/// The rows of a page, in the list's order, and what is known about its place.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Values>,
    pub(crate) total: Option<i64>,
    pub(crate) more_after: bool,
    pub(crate) more_before: bool,
}

impl Page {
    /// Reads the question from the field that is being resolved.
    ///
    /// # Errors
    /// An argument that is out of bounds or contradicts another, BAD_REQUEST; FORBIDDEN.
    pub(crate) fn of(ctx: &Context<'_>, scope: &Scope, entity: &'static AnyEntity) -> Result<Self, Failure> {
        let (filter, order_by) = (given_value(ctx, "where"), given_value(ctx, "orderBy"));
        let mut page = Self::filtered(scope, entity, filter, order_by)?;
        page.deleted(Deleted::of(ctx)?);
        page.search(Search::of(ctx, entity)?);
        page.cut(argument(ctx, "first")?, argument(ctx, "last")?)?;
        page.after = page.values("after", argument(ctx, "after")?)?;
        page.before = page.values("before", argument(ctx, "before")?)?;
        Ok(page)
    }

    /// The first page of a list.
    ///
    /// # Errors
    /// A filter or an order that cannot be meant, BAD_REQUEST; FORBIDDEN where it looks at what the
    /// session may not read.
    pub(crate) fn filtered(
        scope: &Scope,
        entity: &'static AnyEntity,
        filter: Option<GraphQLValue>,
        order_by: Option<GraphQLValue>,
    ) -> Result<Self, Failure> {
        entity.require(scope)?;
        let order = order::read(scope, entity, order_by)?;
        let filter = filter::conditions(scope, entity, filter)?;
        Ok(Self {
            table: entity.rows(scope.session()),
            filter,
            search: None,
            order,
            limit: DEFAULT_PAGE,
            backwards: false,
            after: None,
            before: None,
            columns: vec![],
            joins: vec![],
            total: false,
            peek: false,
        })
    }

    /// Keeps to the rows that are meant by their deletion; without this, to those that are not deleted.
    pub(crate) fn deleted(&mut self, deleted: Deleted) {
        self.table = deleted.rows(self.table.clone());
    }

    /// Keeps to the rows that match.
    pub(crate) fn search(&mut self, search: Option<Search>) {
        self.search = search;
    }

    /// What is searched for, as a condition.
    async fn searched(&self, scope: &Scope) -> Result<Option<Condition>, Failure> {
        match &self.search {
            Some(search) => search.condition(scope, &self.table).await.map(Some),
            None => Ok(None),
        }
    }

    fn cut(&mut self, first: Option<i32>, last: Option<i32>) -> Result<(), Failure> {
        (self.backwards, self.limit) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(Failure::bad_request("last", "Give either `first` or `last`, not both."));
            }
            (None, Some(last)) => (true, limit("last", last, MAX_PAGE)?),
            (Some(first), None) => (false, limit("first", first, MAX_PAGE)?),
            (None, None) => (false, DEFAULT_PAGE),
        };
        Ok(())
    }

    /// The values of a cursor of this order.
    pub(crate) fn values(
        &self,
        argument: &str,
        cursor: Option<String>,
    ) -> Result<Option<Vec<Value>>, Failure> {
        let Some(cursor) = cursor else { return Ok(None) };
        if cursor.len() > MAX_CURSOR {
            return Err(Failure::bad_request(argument, "This is not a cursor of this list."));
        }
        let values = cursor::decode(&cursor, &self.order);
        values.map(Some).map_err(|message| Failure::bad_request(argument, message))
    }

    /// What lies between the cursors.
    fn bounds(&self) -> Vec<KeysetBound> {
        let bound = |values: &Option<Vec<Value>>, reversed| {
            values.clone().map(|values| KeysetBound::new(self.order.clone(), values, reversed))
        };
        bound(&self.after, false).into_iter().chain(bound(&self.before, true)).collect()
    }

    /// The statement of the page, of the rows that meet these conditions too.
    fn select(&self, further: impl IntoIterator<Item = Condition>) -> Select {
        Select {
            table: self.table.clone(),
            columns: self.columns.clone(),
            filter: further.into_iter().chain(self.filter.iter().cloned()).collect(),
            bounds: self.bounds(),
            order: self.order.clone(),
            reversed: self.backwards,
            limit: Some(self.limit + usize::from(self.peek)),
            joins: self.joins.clone(),
            total: self.total,
        }
    }

    /// The page of the organisation's list.
    pub(crate) async fn read(&self, scope: &Scope) -> Result<Rows, Failure> {
        let select = self.select(self.searched(scope).await?);
        let count = Count { table: select.table.clone(), filter: select.filter.clone() };
        let rows = values(scope, select).await?;
        let total = match rows.first() {
            _ if !self.total => None,
            Some(first) => first.count(),
            // A page without rows carries no total: nothing is there, or nothing at this place.
            None if self.after.is_none() && self.before.is_none() && self.limit > 0 => Some(0),
            None => values(scope, count).await?.first().and_then(Values::count),
        };
        Ok(self.rows(rows, total))
    }

    /// The pages of the children of these parents: of all that have any.
    pub(crate) async fn of_parents(
        &self,
        scope: &Scope,
        link: Link,
        parents: Vec<Uuid>,
    ) -> Result<Vec<(Uuid, Rows)>, Failure> {
        let of_parent = [Condition::OfParent(link)];
        let mut select = self.select(of_parent.into_iter().chain(self.searched(scope).await?));
        // Counted once for all parents, below: here it would be counted again for each child.
        select.total = false;
        let filter = select.filter.clone();
        let mut found: HashMap<Uuid, (Vec<Values>, Option<i64>)> = HashMap::new();
        for mut child in values(scope, PerParent { parents: parents.clone(), select }).await? {
            if let Some(Value::Uuid(parent)) = child.0.pop() {
                found.entry(parent).or_default().0.push(child);
            }
        }
        if self.total {
            let count = CountPerParent { parents, table: self.table.clone(), filter };
            for row in values(scope, count).await? {
                if let Some(parent) = row.id(0) {
                    found.entry(parent).or_default().1 = row.count();
                }
            }
        }
        Ok(found.into_iter().map(|(parent, (rows, total))| (parent, self.rows(rows, total))).collect())
    }

    /// The page without rows. Behind a cursor something precedes it all the same.
    pub(crate) fn nothing(&self) -> Rows {
        self.rows(vec![], None)
    }

    /// A page from its rows, read in the page's direction.
    fn rows(&self, mut rows: Vec<Values>, total: Option<i64>) -> Rows {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        if self.backwards {
            rows.reverse();
        }
        let (after, before) = (self.after.is_some(), self.before.is_some());
        let (more_after, more_before) = if self.backwards { (before, more) } else { (more, after) };
        Rows { rows, total, more_after, more_before }
    }
}

/// The arguments of a list of these entities, as the schema describes them.
pub(crate) fn describe(entity: &AnyEntity, registry: &mut Registry) -> Vec<registry::Input> {
    let input = |name, ty: &str, about: &str| registry::input(name, ty, about);
    let first = input(
        "first",
        "Int",
        &format!(
            "The number of rows from the start, at most {MAX_PAGE}. The default does not apply if `last` is given."
        ),
    );
    let about_last =
        format!("The number of rows from the end, at most {MAX_PAGE}. Cannot be combined with `first`.");
    let mut arguments = vec![
        input("where", &format!("{}Filter", entity.name), "Only rows that match this filter."),
        input(
            "orderBy",
            &format!("[{}OrderBy!]", entity.name),
            "The sort order, most significant key first. By default, the newest rows come first.",
        ),
        registry::defaulted(first, DEFAULT_PAGE),
        input("after", "String", "Only rows after this cursor."),
        input("last", "Int", &about_last),
        input("before", "String", "Only rows before this cursor."),
    ];
    arguments.extend(deleted::describe(entity, registry));
    arguments.extend(search::describe(entity));
    arguments
}

/// A number of rows, from none to `max`.
pub(crate) fn limit(argument: &str, asked: i32, max: usize) -> Result<usize, Failure> {
    match usize::try_from(asked) {
        Ok(limit) if limit <= max => Ok(limit),
        _ => Err(Failure::bad_request(argument, format!("`{argument}` is a number from 0 to {max}."))),
    }
}
