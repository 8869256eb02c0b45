use std::{borrow::Cow, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerResult,
    SimpleObject, Value, parser::types::Field, resolver_utils::resolve_container,
};

use crate::{
    Entity,
    read::cursor,
    read::page::Page,
    read::rows,
    read::selection::fields,
    registry::{self, MetaTypeId, Registry},
    sql::values::Wide,
};

/// One page of a list, after the Relay specification of cursor connections.
pub struct Connection<E> {
    rows: Vec<Wide<E>>,
    page: Arc<Page>,
    total: Option<i64>,
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

impl<E: Entity> Connection<E> {
    /// A page from its rows, read in the page's direction and one more than its limit, and how many
    /// there are in all, if that was asked.
    pub(crate) fn new(page: Arc<Page>, mut rows: Vec<Wide<E>>, total: Option<i64>) -> Self {
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        if page.backwards {
            rows.reverse();
        }
        let (after, before) = (page.after.is_some(), page.before.is_some());
        let (more_after, more_before) = if page.backwards { (before, more) } else { (more, after) };
        Self { rows, page, total, more_after, more_before }
    }

    fn page_info(&self) -> PageInfo {
        let cursor = |row: &Wide<E>| cursor::encode(row, &self.page.order);
        PageInfo {
            has_next_page: self.more_after,
            has_previous_page: self.more_before,
            start_cursor: self.rows.first().map(cursor),
            end_cursor: self.rows.last().map(cursor),
        }
    }

    async fn edges<'a>(&self, ctx: &Context<'a>) -> ServerResult<Value> {
        let name = edge::<E>();
        let asked: Vec<&'a Positioned<Field>> = fields(ctx, &ctx.item.node.selection_set, &name);
        let mut edges = vec![Value::Object(Default::default()); self.rows.len()];
        for part in asked {
            let values = match part.node.name.node.as_str() {
                "node" => rows::resolve(ctx, &self.page, &self.rows, Some(part)).await?,
                "cursor" => {
                    self.rows.iter().map(|row| Value::String(cursor::encode(row, &self.page.order))).collect()
                }
                _ => vec![Value::String(name.clone()); self.rows.len()],
            };
            let key: &Name = &part.node.response_key().node;
            for (edge, value) in edges.iter_mut().zip(values) {
                if let Value::Object(edge) = edge {
                    rows::merge(edge, key, value);
                }
            }
        }
        Ok(Value::List(edges))
    }
}

fn edge<E: Entity>() -> String {
    format!("{}Edge", E::NAME)
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
            let (node, edge) = (format!("{}!", E::NAME), edge::<E>());
            let info = PageInfo::create_type_info(registry);
            let edges = registry::define(registry, &edge.clone(), |_| {
                let fields = [
                    registry::output(
                        "cursor",
                        "String!",
                        "Names this place: give it as `after` or `before`.",
                        vec![],
                    ),
                    registry::output("node", &node, "The row.", vec![]),
                ];
                registry::object_named(&edge, &format!("One {} and its place in the list.", E::ONE), fields)
            });
            let fields = [
                registry::output("nodes", &format!("[{node}]!"), "The rows of this page.", vec![]),
                registry::output(
                    "edges",
                    &format!("[{edges}!]!"),
                    "The rows of this page, each with its cursor.",
                    vec![],
                ),
                registry::output("pageInfo", &info, "Where this page stands in the list.", vec![]),
                registry::output(
                    "totalCount",
                    "Int!",
                    "How many rows pass the filter, on all pages together.",
                    vec![],
                ),
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
            "nodes" => Ok(Some(Value::List(rows::resolve(ctx, &self.page, &self.rows, None).await?))),
            "edges" => self.edges(ctx).await.map(Some),
            "pageInfo" => OutputType::resolve(&self.page_info(), &selection, ctx.item).await.map(Some),
            "totalCount" => Ok(Some(self.total.unwrap_or_default().into())),
            _ => Ok(None),
        }
    }
}

impl<E: Entity> ObjectType for Connection<E> {}
