use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    SimpleObject, Value, parser::types::Field, resolver_utils::resolve_container,
};

use crate::{
    Entity, Page, cursor,
    order::Key,
    registry::{self, MetaTypeId, Registry},
};

/// One page of a list, after the Relay specification of cursor connections.
pub struct Connection<E> {
    rows: Vec<E>,
    order: Vec<Key>,
    more_after: bool,
    more_before: bool,
}

/// Where a page stands in its list.
#[derive(SimpleObject)]
struct PageInfo {
    /// Whether rows follow this page.
    has_next_page: bool,
    /// Whether rows precede this page. Exact when paging backwards; otherwise true behind a cursor.
    has_previous_page: bool,
    /// The cursor of the first row.
    start_cursor: Option<String>,
    /// The cursor of the last row.
    end_cursor: Option<String>,
}

/// A row with its place in the list; generic, so it carries the name of its entity.
struct Edge<'a, E> {
    row: &'a E,
    order: &'a [Key],
}

impl<E: Entity> Connection<E> {
    /// A page from its rows, read in the page's direction and one more than its limit.
    pub(crate) fn new(page: &Page, mut rows: Vec<E>) -> Self {
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        if page.backwards {
            rows.reverse();
        }
        let (after, before) = (page.after.is_some(), page.before.is_some());
        let (more_after, more_before) = if page.backwards { (before, more) } else { (more, after) };
        Self { rows, order: page.order.clone(), more_after, more_before }
    }

    fn page_info(&self) -> PageInfo {
        let cursor = |row: &E| cursor::encode(row, &self.order);
        PageInfo {
            has_next_page: self.more_after,
            has_previous_page: self.more_before,
            start_cursor: self.rows.first().map(cursor),
            end_cursor: self.rows.last().map(cursor),
        }
    }
}

impl<E: Entity> OutputType for Connection<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", E::NAME).into()
    }

    // Nullable wherever it stands: a field that can fail must not take its neighbours with it.
    fn qualified_type_name() -> String {
        Self::type_name().into_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let nodes = <Vec<E> as OutputType>::create_type_info(registry);
            let edges = <Vec<Edge<'_, E>> as OutputType>::create_type_info(registry);
            let info = PageInfo::create_type_info(registry);
            let fields = [
                registry::output("nodes", &nodes, "The rows of this page.", vec![]),
                registry::output("edges", &edges, "The rows of this page, each with its cursor.", vec![]),
                registry::output("pageInfo", &info, "Where this page stands in the list.", vec![]),
            ];
            registry::object::<Self>(&format!("One page of {}.", E::MANY), fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Connection<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        match ctx.item.node.name.node.as_str() {
            "nodes" => OutputType::resolve(&self.rows, &selection, ctx.item).await.map(Some),
            "edges" => {
                let edges: Vec<_> = self.rows.iter().map(|row| Edge { row, order: &self.order }).collect();
                OutputType::resolve(&edges, &selection, ctx.item).await.map(Some)
            }
            "pageInfo" => OutputType::resolve(&self.page_info(), &selection, ctx.item).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl<E: Entity> ObjectType for Connection<E> {}

impl<E: Entity> OutputType for Edge<'_, E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Edge<'static, E>, _>(MetaTypeId::Object, |registry| {
            let node = E::create_type_info(registry);
            let string = <String as OutputType>::create_type_info(registry);
            let fields = [
                registry::output(
                    "cursor",
                    &string,
                    "Names this place: give it as `after` or `before`.",
                    vec![],
                ),
                registry::output("node", &node, "The row.", vec![]),
            ];
            registry::object::<Edge<'static, E>>(
                &format!("One {} and its place in the list.", E::ONE),
                fields,
            )
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Edge<'_, E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match ctx.item.node.name.node.as_str() {
            "cursor" => Ok(Some(Value::String(cursor::encode(self.row, self.order)))),
            "node" => {
                let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
                OutputType::resolve(self.row, &selection, ctx.item).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl<E: Entity> ObjectType for Edge<'_, E> {}
