//! The two queries that every entity has: one by its id, and the list.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, ObjectType, OutputType, Positioned, ServerResult,
    Value, parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{
    Condition, Connection, Entity, GivenId, Page, PageArguments,
    page::at,
    registry::{self, MetaTypeId, Registry},
    scope,
    statement::Select,
};

const LIVE: Condition = Condition::Empty("deleted_at");

/// `contact(id:)` and `contacts(..)` for an entity, to be merged into a domain's queries.
pub struct Queries<E>(PhantomData<fn() -> E>);

impl<E> Default for Queries<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

fn by_id<E: Entity>(id: Uuid) -> Select {
    Select {
        table: E::TABLE,
        conditions: vec![Condition::Is("id", crate::Value::Uuid(id))],
        order: vec![],
        reversed: false,
        limit: None,
    }
}

/// The statement of a page, with one row more than asked, to see whether there are more.
pub(crate) fn page_of<E: Entity>(page: &Page, of: impl IntoIterator<Item = Condition>) -> Select {
    let mut conditions: Vec<Condition> = of.into_iter().collect();
    conditions.push(LIVE);
    conditions.extend(page.bounds());
    Select {
        table: E::TABLE,
        conditions,
        order: page.order.clone(),
        reversed: page.backwards,
        limit: Some(page.limit + 1),
    }
}

/// The rows with these ids that are not deleted.
pub(crate) async fn find_many<E: Entity>(scope: &Scope, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    let conditions = vec![Condition::OneOf("id", ids), LIVE];
    E::select(scope, Select { table: E::TABLE, conditions, order: vec![], reversed: false, limit: None })
        .await
}

/// The rows with these ids inside a write, deleted or not.
pub(crate) async fn find_many_in<E: Entity>(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    let conditions = vec![Condition::OneOf("id", ids)];
    E::select_in(tx, Select { table: E::TABLE, conditions, order: vec![], reversed: false, limit: None })
        .await
}

/// One entity of the organisation; nothing if there is none with that id, or it is deleted.
///
/// # Errors
/// FORBIDDEN without the entity's permission to read, and what the database refuses.
pub async fn find<E: Entity>(scope: &Scope, id: Uuid) -> Result<Option<E>, Failure> {
    scope.require(E::READ)?;
    let mut select = by_id::<E>(id);
    select.conditions.push(LIVE);
    Ok(E::select(scope, select).await?.pop())
}

/// One entity inside a write, deleted or not.
///
/// # Errors
/// What the database refuses.
pub async fn find_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(E::select_in(tx, by_id::<E>(id)).await?.pop())
}

/// One entity inside a write, unless it is deleted.
///
/// # Errors
/// What the database refuses.
pub async fn find_live_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    let mut select = by_id::<E>(id);
    select.conditions.push(LIVE);
    Ok(E::select_in(tx, select).await?.pop())
}

/// A page of the organisation's list.
///
/// # Errors
/// FORBIDDEN without the entity's permission to read, and what the database refuses.
pub async fn page<E: Entity>(scope: &Scope, page: &Page) -> Result<Connection<E>, Failure> {
    scope.require(E::READ)?;
    let rows = E::select(scope, page_of::<E>(page, [])).await?;
    Ok(Connection::new(page, rows))
}

impl<E: Entity> OutputType for Queries<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Queries", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let one = registry::nullable::<E>(registry);
            let id = <GivenId<E> as InputType>::create_type_info(registry);
            let id = registry::input("id", &id, "Which one.");
            let many = <Connection<E> as OutputType>::create_type_info(registry);
            let arguments = PageArguments::<E>::describe(registry);
            let about_one = format!("One {} by its id; null if the organisation has none with it.", E::ONE);
            let about_many = format!("The organisation's {}, page by page.", E::MANY);
            let fields = [
                registry::output(E::ONE, &one, &about_one, vec![id]),
                registry::list(E::MANY, &many, &about_many, arguments),
            ];
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Queries<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
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
            let arguments = PageArguments::<E>::of(ctx).map_err(|error| ctx.set_error_path(error))?;
            let list = async { page::<E>(scope(ctx)?, &arguments.page()?).await };
            let list = list.await.map_err(|failure| at(ctx, failure))?;
            return OutputType::resolve(&list, &selection, ctx.item).await.map(Some);
        }
        Ok(None)
    }
}

impl<E: Entity> ObjectType for Queries<E> {}
