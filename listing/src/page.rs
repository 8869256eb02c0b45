use async_graphql::{Context, InputType, Pos, ServerError, ServerResult};
use tenancy::Failure;

use crate::{
    Condition, Entity, OrderBy, Value, cursor,
    order::{self, Key},
    registry,
};

/// How many rows a page holds unless told.
pub const DEFAULT_PAGE: usize = 50;
/// How many rows a page holds at most.
pub const MAX_PAGE: usize = 200;
/// How many fields a list is ordered by at most.
const MAX_ORDER: usize = 5;
/// The longest cursor that is read; an honest one is far below, long texts included.
const MAX_CURSOR: usize = 64 * 1024;

/// Which part of a list, in which order. Hashable, so that equal pages of many parents are one
/// statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    pub(crate) order: Vec<Key>,
    pub(crate) limit: usize,
    /// Counted from the end: `last` instead of `first`.
    pub(crate) backwards: bool,
    pub(crate) after: Option<Vec<Value>>,
    pub(crate) before: Option<Vec<Value>>,
}

/// The arguments of a list, as they came in.
pub struct PageArguments<E> {
    /// How many rows from the start.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// How many rows from the end.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
    /// The order.
    pub order_by: Option<Vec<OrderBy<E>>>,
}

impl<E> Default for PageArguments<E> {
    fn default() -> Self {
        Self { first: None, after: None, last: None, before: None, order_by: None }
    }
}

impl<E: Entity> PageArguments<E> {
    /// Reads them from the field that is being resolved.
    ///
    /// # Errors
    /// An argument of a wrong type.
    pub(crate) fn of(ctx: &Context<'_>) -> ServerResult<Self> {
        fn argument<T: InputType>(ctx: &Context<'_>, name: &str) -> ServerResult<Option<T>> {
            let (_, value) = ctx.param_value::<Option<T>>(name, None)?;
            Ok(value)
        }
        Ok(Self {
            first: argument(ctx, "first")?,
            after: argument(ctx, "after")?,
            last: argument(ctx, "last")?,
            before: argument(ctx, "before")?,
            order_by: argument(ctx, "orderBy")?,
        })
    }

    /// The same arguments, as the schema describes them.
    pub(crate) fn describe(registry: &mut registry::Registry) -> Vec<registry::Input> {
        let int = <Option<i32> as InputType>::create_type_info(registry);
        let string = <Option<String> as InputType>::create_type_info(registry);
        let order = <Option<Vec<OrderBy<E>>> as InputType>::create_type_info(registry);
        let many = format!("How many from the start: {DEFAULT_PAGE} unless told, at most {MAX_PAGE}.");
        let last = format!("How many from the end, at most {MAX_PAGE}; not together with `first`.");
        vec![
            registry::input("first", &int, &many),
            registry::input("after", &string, "Only what follows this cursor, taken from an earlier page."),
            registry::input("last", &int, &last),
            registry::input("before", &string, "Only what precedes this cursor."),
            registry::input("orderBy", &order, "The order; newest first unless told. Ties are broken by id."),
        ]
    }

    /// The page they ask for.
    ///
    /// # Errors
    /// BAD_REQUEST at the argument that is out of bounds, malformed or contradicts another.
    pub fn page(self) -> Result<Page, Failure> {
        let asked = self.order_by.unwrap_or_default();
        if asked.len() > MAX_ORDER {
            return Err(Failure::bad_request("orderBy", format!("Order by at most {MAX_ORDER} fields.")));
        }
        let order = order::complete(asked);
        let (backwards, limit) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(Failure::bad_request("last", "Give either `first` or `last`, not both."));
            }
            (None, Some(last)) => (true, limit("last", last)?),
            (Some(first), None) => (false, limit("first", first)?),
            (None, None) => (false, DEFAULT_PAGE),
        };
        let after = self.after.map(|cursor| values("after", &cursor, &order)).transpose()?;
        let before = self.before.map(|cursor| values("before", &cursor, &order)).transpose()?;
        Ok(Page { order, limit, backwards, after, before })
    }
}

fn limit(argument: &str, asked: i32) -> Result<usize, Failure> {
    match usize::try_from(asked) {
        Ok(limit) if limit <= MAX_PAGE => Ok(limit),
        _ => Err(Failure::bad_request(argument, format!("`{argument}` is a number from 0 to {MAX_PAGE}."))),
    }
}

fn values(argument: &str, cursor: &str, order: &[Key]) -> Result<Vec<Value>, Failure> {
    if cursor.len() > MAX_CURSOR {
        return Err(Failure::bad_request(argument, "This is not a cursor of this list."));
    }
    cursor::decode(cursor, order).map_err(|message| Failure::bad_request(argument, message))
}

impl Page {
    /// What lies between the cursors.
    pub(crate) fn bounds(&self) -> Vec<Condition> {
        let bound = |values: &Option<Vec<Value>>, reversed| {
            values.clone().map(|values| Condition::beyond(self.order.clone(), values, reversed))
        };
        bound(&self.after, false).into_iter().chain(bound(&self.before, true)).collect()
    }
}

/// A failure at the position of the field that is being resolved.
pub(crate) fn at(ctx: &Context<'_>, failure: Failure) -> ServerError {
    let pos: Pos = ctx.item.pos;
    ctx.set_error_path(async_graphql::Error::from(failure).into_server_error(pos))
}
