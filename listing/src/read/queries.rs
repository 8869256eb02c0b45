//! The queries that every entity has: one by its id, the list, and its figures.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue, parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{
    Condition, Connection, Entity, GivenId, OrderBy, Statement, Value, Where, aggregate,
    read::page::{self, Page, at},
    registry::{self, MetaTypeId, Registry},
    scope,
    sql::select::{Count, Select},
    sql::statement::figures,
    sql::values::Wide,
};

/// `contact(id:)`, `contacts(..)` and `contactsAggregate(..)` for an entity, to be merged into a
/// domain's queries.
pub struct Queries<E>(PhantomData<fn() -> E>);

impl<E> Default for Queries<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The statement of a page, with one row more than asked, to see whether there are more.
pub(crate) fn select<E: Entity>(page: &Page, of: Option<Condition>) -> Select {
    let filter = of.into_iter().chain([Condition::LIVE, page.filter.condition.clone()]);
    Select {
        table: E::TABLE,
        // An empty filter would only make another text of the same statement.
        filter: filter.filter(|condition| *condition != Condition::All(vec![])).collect(),
        bounds: page.bounds(),
        order: page.order.clone(),
        reversed: page.backwards,
        limit: Some(page.limit + 1),
        joins: page.joins.clone(),
        total: page.total,
    }
}

async fn rows<E: Entity>(scope: &Scope, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    let select = Statement::Select(Select::all(E::TABLE, conditions));
    Ok(E::rows(scope, select).await?.into_iter().map(|wide| wide.row).collect())
}

async fn rows_in<E: Entity>(tx: &Tx, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    let select = Statement::Select(Select::all(E::TABLE, conditions));
    Ok(E::rows_in(tx, select).await?.into_iter().map(|wide| wide.row).collect())
}

/// The rows with these ids that are not deleted.
pub(crate) async fn find_many<E: Entity>(scope: &Scope, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows(scope, vec![Condition::ids(ids), Condition::LIVE]).await
}

/// The rows with these ids inside a write, deleted or not.
pub(crate) async fn find_many_in<E: Entity>(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows_in(tx, vec![Condition::ids(ids)]).await
}

/// One entity of the organisation; nothing if there is none with that id, or it is deleted.
///
/// # Errors
/// FORBIDDEN without the entity's permission to read, and what the database refuses.
pub async fn find<E: Entity>(scope: &Scope, id: Uuid) -> Result<Option<E>, Failure> {
    scope.require(E::READ)?;
    Ok(rows(scope, vec![Condition::id(id), Condition::LIVE]).await?.pop())
}

/// One entity inside a write, deleted or not.
///
/// # Errors
/// What the database refuses.
pub async fn find_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, vec![Condition::id(id)]).await?.pop())
}

/// One entity inside a write, unless it is deleted.
///
/// # Errors
/// What the database refuses.
pub async fn find_live_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, vec![Condition::id(id), Condition::LIVE]).await?.pop())
}

/// A page of the organisation's list.
async fn list<E: Entity>(scope: &Scope, page: Page) -> Result<Connection<E>, Failure> {
    let select = select::<E>(&page, None);
    let count = Count { table: select.table, filter: select.filter.clone() };
    let rows = E::rows(scope, Statement::Select(select)).await?;
    let total = match rows.first() {
        Some(first) => total(&page, first),
        // A page without rows carries no total: nothing is there, or nothing at this place.
        None if !page.total || (page.after.is_none() && page.before.is_none()) => Some(0),
        None => figures(scope, count).await?.first().and_then(|row| long(row.0.first())),
    };
    Ok(Connection::new(Arc::new(page), rows, total))
}

/// The total that a row of a page carries, behind all else.
fn total<E>(page: &Page, row: &Wide<E>) -> Option<i64> {
    if page.total { long(row.more.last()) } else { None }
}

pub(crate) fn long(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Long(number)) => Some(*number),
        _ => None,
    }
}

impl<E: Entity> OutputType for Queries<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Queries", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            // The entity first: the types that speak of its fields take their descriptions from it.
            let one = registry::nullable::<E>(registry);
            Where::<E>::create_type_info(registry);
            OrderBy::<E>::create_type_info(registry);
            let id = <GivenId<E> as InputType>::create_type_info(registry);
            let id = registry::input("id", &id, "Which one.");
            let many = <Connection<E> as OutputType>::create_type_info(registry);
            let arguments = page::describe(E::NAME);
            let about_one = format!("One {} by its id; null if the organisation has none with it.", E::ONE);
            let about_many = format!("The organisation's {}, page by page.", E::MANY);
            let fields = [
                registry::output(E::ONE, &one, &about_one, vec![id]),
                registry::list(E::MANY, &many, &about_many, arguments),
                aggregate::describe::<E>(registry),
            ];
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<GraphQLValue> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Queries<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<GraphQLValue>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let name = ctx.item.node.name.node.as_str();
        if name == E::ONE {
            let (_, id) =
                ctx.param_value::<GivenId<E>>("id", None).map_err(|error| ctx.set_error_path(error))?;
            let found = async { find::<E>(scope(ctx)?, id.uuid_argument("id")?).await };
            let found = found.await.map_err(|failure| at(ctx, failure))?;
            return OutputType::resolve(&found, &selection, ctx.item).await.map(Some);
        }
        if name == E::MANY {
            let page = Page::of::<E>(ctx)?;
            let list = async { list::<E>(scope(ctx)?, page).await };
            let list = list.await.map_err(|failure| at(ctx, failure))?;
            return OutputType::resolve(&list, &selection, ctx.item).await.map(Some);
        }
        if name == aggregate::field_name::<E>() {
            return aggregate::resolve::<E>(ctx).await.map(Some);
        }
        Ok(None)
    }
}

impl<E: Entity> ObjectType for Queries<E> {}
