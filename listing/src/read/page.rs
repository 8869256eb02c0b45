use async_graphql::{Context, InputType, Pos, ServerError, ServerResult};
use tenancy::{Failure, Scope};

use crate::{
    Condition, Entity, OrderBy, Value, Where,
    read::cursor,
    read::filter::{Filter, Reading},
    read::order::{self, Key},
    read::selection::{self, Join},
    registry, scope,
    sql::keyset::Beyond,
};

/// How many rows a page holds unless told.
pub const DEFAULT_PAGE: usize = 50;
/// How many rows a page holds at most.
pub const MAX_PAGE: usize = 200;
/// How many fields a list is ordered by at most.
const MAX_ORDER: usize = 5;
/// The longest cursor that is read; an honest one is far below, long texts included.
const MAX_CURSOR: usize = 64 * 1024;

/// Everything that is asked of a list. Hashable, so that equal questions about many parents are one
/// statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Page {
    pub(crate) filter: Filter,
    pub(crate) order: Vec<Key>,
    pub(crate) limit: usize,
    /// Counted from the end: `last` instead of `first`.
    pub(crate) backwards: bool,
    pub(crate) after: Option<Vec<Value>>,
    pub(crate) before: Option<Vec<Value>>,
    /// What is read together with the rows.
    pub(crate) joins: Vec<Join>,
    /// Whether all rows that pass the filter are counted.
    pub(crate) total: bool,
}

impl Page {
    /// Reads the question from the field that is being resolved.
    ///
    /// # Errors
    /// An argument that is out of bounds or contradicts another, BAD_REQUEST.
    pub(crate) fn of<E: Entity>(ctx: &Context<'_>) -> ServerResult<Self> {
        fn argument<T: InputType>(ctx: &Context<'_>, name: &str) -> ServerResult<Option<T>> {
            let (_, value) =
                ctx.param_value::<Option<T>>(name, None).map_err(|error| ctx.set_error_path(error))?;
            Ok(value)
        }
        let (first, last) = (argument(ctx, "first")?, argument(ctx, "last")?);
        let (after, before) = (argument(ctx, "after")?, argument(ctx, "before")?);
        let filter = argument::<Where<E>>(ctx, "where")?;
        let order_by = argument(ctx, "orderBy")?.unwrap_or_default();
        let read = || {
            let scope = scope(ctx)?;
            let mut page = Self::filtered(scope, filter, order_by)?;
            page.cut(first, last)?;
            page.after = page.values("after", after)?;
            page.before = page.values("before", before)?;
            let type_name = format!("{}Connection", E::NAME);
            let connection = selection::fields(ctx, &ctx.item.node.selection_set, &type_name);
            page.total = selection::names(&connection, "totalCount");
            page.joins = selection::joins::<E>(ctx, scope, &connection);
            Ok(page)
        };
        read().map_err(|failure| at(ctx, failure))
    }

    /// The first page of a list.
    ///
    /// # Errors
    /// A filter or an order that cannot be meant, BAD_REQUEST; FORBIDDEN where it looks at what the
    /// session may not read.
    pub(crate) fn filtered<E: Entity>(
        scope: &Scope,
        filter: Option<Where<E>>,
        order_by: Vec<OrderBy<E>>,
    ) -> Result<Self, Failure> {
        scope.require(E::READ)?;
        if order_by.len() > MAX_ORDER {
            return Err(Failure::bad_request("orderBy", format!("Order by at most {MAX_ORDER} fields.")));
        }
        let mut reading = Reading::at("orderBy");
        let keys = order::keys(order_by, &mut reading)?;
        let filter = filter.map_or(Ok(Filter::NONE), Where::read)?;
        filter.allowed(scope)?;
        reading.allowed(scope)?;
        Ok(Self {
            filter,
            order: order::complete::<E>(keys),
            limit: DEFAULT_PAGE,
            backwards: false,
            after: None,
            before: None,
            joins: vec![],
            total: false,
        })
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
    pub(crate) fn bounds(&self) -> Vec<Condition> {
        let bound = |values: &Option<Vec<Value>>, reversed| {
            values.clone().map(|values| Condition::Beyond(Beyond::new(self.order.clone(), values, reversed)))
        };
        bound(&self.after, false).into_iter().chain(bound(&self.before, true)).collect()
    }
}

/// The arguments of a list of these entities, as the schema describes them.
pub(crate) fn describe(entity: &str) -> Vec<registry::Input> {
    let filter = format!("{entity}Filter");
    let order = format!("[{entity}OrderBy!]");
    let many = format!("How many from the start: {DEFAULT_PAGE} unless told, at most {MAX_PAGE}.");
    let from_end = format!("How many from the end, at most {MAX_PAGE}; not together with `first`.");
    vec![
        registry::input("where", &filter, "Only those for which this holds; all unless told."),
        registry::input(
            "orderBy",
            &order,
            "The order, most important field first; newest first unless told.",
        ),
        registry::input("first", "Int", &many),
        registry::input("after", "String", "Behind the row of this cursor."),
        registry::input("last", "Int", &from_end),
        registry::input("before", "String", "Before the row of this cursor."),
    ]
}

/// A number of rows, from none to `max`.
pub(crate) fn limit(argument: &str, asked: i32, max: usize) -> Result<usize, Failure> {
    match usize::try_from(asked) {
        Ok(limit) if limit <= max => Ok(limit),
        _ => Err(Failure::bad_request(argument, format!("`{argument}` is a number from 0 to {max}."))),
    }
}

/// A failure at the position of the field that is being resolved.
pub fn at(ctx: &Context<'_>, failure: Failure) -> ServerError {
    let pos: Pos = ctx.item.pos;
    ctx.set_error_path(async_graphql::Error::from(failure).into_server_error(pos))
}
