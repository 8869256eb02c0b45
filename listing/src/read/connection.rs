//! Lists as GraphQL answers them: one page of rows, after the Relay specification of cursor
//! connections.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    Context, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, SimpleObject, Value,
    parser::types::Field,
};
use futures_util::future::join_all;
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    AnyEntity, Entity, Loaders,
    read::{
        cursor,
        page::{Page, Rows, at},
        plan::{Found, Layout, Object, Steps, merge},
        selection::fields,
    },
    registry::{self, MetaTypeId, Registry},
    scope,
    sql::values::Values,
};

/// The type of a page of these entities.
pub struct Connection<E>(PhantomData<fn() -> E>);

/// Where a page stands in its list.
#[derive(SimpleObject)]
struct PageInfo {
    /// Whether rows follow this page. Exact when paging forwards; otherwise true before a cursor.
    has_next_page: bool,
    /// Whether rows precede this page. Exact when paging backwards; otherwise true behind a cursor.
    has_previous_page: bool,
    /// The cursor of the first row.
    start_cursor: Option<String>,
    /// The cursor of the last row.
    end_cursor: Option<String>,
}

/// What is asked of a connection, compiled.
pub(crate) struct ConnectionPlan {
    entity: AnyEntity,
    pub(crate) page: Page,
    layout: Layout,
    parts: Vec<(Name, Part)>,
}

/// How a field of a connection is made.
enum Part {
    Fixed(String),
    Nodes(Steps),
    Edges(Vec<(Name, Part)>),
    /// In an edge: the row's place, and the row.
    Cursor,
    PageInfo(Vec<(Name, Info)>),
    Total,
}

enum Info {
    Fixed,
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
}

/// Fields of rows that only the entity's own resolvers know, asked for at one place of the document.
pub(crate) struct Others<'a> {
    /// The list, and what stands between it and a row: `nodes`; `edges` and `node`.
    list: &'a Positioned<Field>,
    inner: Option<&'a Positioned<Field>>,
    wanted: Vec<&'a Positioned<Field>>,
}

/// What those resolvers answered, place by place and row by row.
type Resolved = Vec<Vec<Vec<Option<Value>>>>;

impl ConnectionPlan {
    /// Compiles the field that is being resolved, and what is left to resolvers.
    pub(crate) fn of<'a>(
        ctx: &Context<'a>,
        scope: &Scope,
        entity: AnyEntity,
        page: Page,
    ) -> (Self, Vec<Others<'a>>) {
        let mut plan = Self { entity, layout: Layout::new(entity, &page.order), page, parts: vec![] };
        let mut others = vec![];
        for asked in fields(ctx, &ctx.item.node.selection_set, &format!("{}Connection", entity.name)) {
            let part = match asked.node.name.node.as_str() {
                "nodes" => plan.nodes(ctx, scope, asked, None, &mut others),
                "edges" => plan.edges(ctx, scope, asked, &mut others),
                "pageInfo" => {
                    plan.page.peek = true;
                    Part::PageInfo(info(ctx, asked))
                }
                "totalCount" => {
                    plan.page.total = true;
                    Part::Total
                }
                _ => Part::Fixed(format!("{}Connection", entity.name)),
            };
            plan.parts.push((asked.node.response_key().node.clone(), part));
        }
        plan.page.columns.clone_from(&plan.layout.columns);
        plan.page.joins.clone_from(&plan.layout.joins);
        (plan, others)
    }

    fn nodes<'a>(
        &mut self,
        ctx: &Context<'a>,
        scope: &Scope,
        list: &'a Positioned<Field>,
        inner: Option<&'a Positioned<Field>>,
        others: &mut Vec<Others<'a>>,
    ) -> Part {
        let asked = fields(ctx, &inner.unwrap_or(list).node.selection_set, self.entity.name);
        let mut wanted = vec![];
        let steps = Steps::of(ctx, scope, self.entity, &asked, &mut self.layout, &mut wanted);
        others.push(Others { list, inner, wanted });
        Part::Nodes(steps)
    }

    fn edges<'a>(
        &mut self,
        ctx: &Context<'a>,
        scope: &Scope,
        list: &'a Positioned<Field>,
        others: &mut Vec<Others<'a>>,
    ) -> Part {
        let name = format!("{}Edge", self.entity.name);
        let mut parts = vec![];
        for asked in fields(ctx, &list.node.selection_set, &name) {
            let part = match asked.node.name.node.as_str() {
                "node" => self.nodes(ctx, scope, list, Some(asked), others),
                "cursor" => Part::Cursor,
                _ => Part::Fixed(name.clone()),
            };
            parts.push((asked.node.response_key().node.clone(), part));
        }
        Part::Edges(parts)
    }

    /// Several pages of this plan, read together what belongs to their rows.
    pub(crate) async fn answer(&self, scope: &Scope, pages: Vec<Rows>) -> Result<Vec<Value>, Failure> {
        let mut rows: Vec<Values> = vec![];
        let mut sheets = Vec::with_capacity(pages.len());
        for mut page in pages {
            let first = rows.len();
            rows.append(&mut page.rows);
            sheets.push((page, first..rows.len()));
        }
        let found = self.layout.branch_out(scope, &rows).await?;
        let sheet = |(page, range): (Rows, std::ops::Range<usize>)| {
            self.object(&page, rows.get(range).unwrap_or_default(), &found, &mut vec![].into_iter())
        };
        Ok(sheets.into_iter().map(sheet).collect())
    }

    /// A page without rows.
    pub(crate) fn empty(&self) -> Value {
        self.object(&self.page.nothing(), &[], &Found::default(), &mut vec![].into_iter())
    }

    fn object(
        &self,
        page: &Rows,
        rows: &[Values],
        found: &Found,
        resolved: &mut impl Iterator<Item = Vec<Vec<Option<Value>>>>,
    ) -> Value {
        let mut object = Object::with_capacity(self.parts.len());
        for (key, part) in &self.parts {
            let value = match part {
                Part::Nodes(steps) => Value::List(self.rows(steps, rows, found, resolved.next())),
                Part::Edges(parts) => Value::List(self.edge_list(parts, rows, found, resolved)),
                Part::PageInfo(parts) => self.info(parts, page, rows),
                Part::Total => page.total.unwrap_or_default().into(),
                Part::Fixed(name) => name.as_str().into(),
                Part::Cursor => Value::Null,
            };
            merge(&mut object, key, value);
        }
        Value::Object(object)
    }

    fn rows(
        &self,
        steps: &Steps,
        rows: &[Values],
        found: &Found,
        resolved: Option<Vec<Vec<Option<Value>>>>,
    ) -> Vec<Value> {
        let mut resolved = resolved.unwrap_or_default().into_iter();
        let object = |row| {
            let others = resolved.next().unwrap_or_default().into_iter();
            steps.object(&self.layout, &self.page.order, row, found, others)
        };
        rows.iter().map(object).collect()
    }

    fn edge_list(
        &self,
        parts: &[(Name, Part)],
        rows: &[Values],
        found: &Found,
        resolved: &mut impl Iterator<Item = Vec<Vec<Option<Value>>>>,
    ) -> Vec<Value> {
        let mut edges = vec![Object::default(); rows.len()];
        for (key, part) in parts {
            let values: Vec<Value> = match part {
                Part::Nodes(steps) => self.rows(steps, rows, found, resolved.next()),
                Part::Cursor => rows.iter().map(|row| self.cursor(row).into()).collect(),
                Part::Fixed(name) => vec![name.as_str().into(); rows.len()],
                Part::Edges(_) | Part::PageInfo(_) | Part::Total => vec![],
            };
            for (edge, value) in edges.iter_mut().zip(values) {
                merge(edge, key, value);
            }
        }
        edges.into_iter().map(Value::Object).collect()
    }

    fn cursor(&self, row: &Values) -> String {
        cursor::encode(row, &self.page.columns, &self.page.order)
    }

    fn info(&self, parts: &[(Name, Info)], page: &Rows, rows: &[Values]) -> Value {
        let cursor = |row: Option<&Values>| row.map_or(Value::Null, |row| self.cursor(row).into());
        let mut object = Object::with_capacity(parts.len());
        for (key, part) in parts {
            let value = match part {
                Info::Fixed => "PageInfo".into(),
                Info::HasNextPage => page.more_after.into(),
                Info::HasPreviousPage => page.more_before.into(),
                Info::StartCursor => cursor(rows.first()),
                Info::EndCursor => cursor(rows.last()),
            };
            merge(&mut object, key, value);
        }
        Value::Object(object)
    }
}

fn info(ctx: &Context<'_>, asked: &Positioned<Field>) -> Vec<(Name, Info)> {
    let info = |field: &Positioned<Field>| match field.node.name.node.as_str() {
        "hasNextPage" => Info::HasNextPage,
        "hasPreviousPage" => Info::HasPreviousPage,
        "startCursor" => Info::StartCursor,
        "endCursor" => Info::EndCursor,
        _ => Info::Fixed,
    };
    let asked = fields(ctx, &asked.node.selection_set, "PageInfo");
    asked.into_iter().map(|field| (field.node.response_key().node.clone(), info(field))).collect()
}

/// The list that the field being resolved asks for.
pub(crate) async fn list<E: Entity>(ctx: &Context<'_>) -> ServerResult<Value> {
    let scope = scope(ctx).map_err(|failure| at(ctx, failure))?;
    let page = Page::of::<E>(ctx, scope).map_err(|failure| at(ctx, failure))?;
    let (plan, others) = ConnectionPlan::of(ctx, scope, AnyEntity::of::<E>(), page);
    let rows = plan.page.read(scope).await.map_err(|failure| at(ctx, failure))?;
    finish::<E>(ctx, scope, &plan, rows, &others).await
}

/// The children of one parent that the field being resolved asks for.
pub(crate) async fn children<E: Entity>(
    ctx: &Context<'_>,
    column: &'static str,
    parent: Uuid,
) -> ServerResult<Value> {
    let scope = scope(ctx).map_err(|failure| at(ctx, failure))?;
    let page = Page::of::<E>(ctx, scope).map_err(|failure| at(ctx, failure))?;
    let (plan, others) = ConnectionPlan::of(ctx, scope, AnyEntity::of::<E>(), page);
    let rows = async { Loaders::of(ctx)?.children(scope).load(parent, column, plan.page.clone()).await };
    let rows = rows.await.map_err(|failure| at(ctx, failure))?;
    finish::<E>(ctx, scope, &plan, rows, &others).await
}

async fn finish<E: Entity>(
    ctx: &Context<'_>,
    scope: &Scope,
    plan: &ConnectionPlan,
    rows: Rows,
    others: &[Others<'_>],
) -> ServerResult<Value> {
    let read = async {
        let found = plan.layout.branch_out(scope, &rows.rows).await?;
        let whole = if others.iter().all(Others::is_empty) {
            HashMap::new()
        } else {
            crate::read::queries::whole::<E>(scope, &rows.rows).await?
        };
        Ok((found, whole))
    };
    let (found, whole) = read.await.map_err(|failure| at(ctx, failure))?;
    let resolved: Resolved =
        join_all(others.iter().map(|others| others.resolve(ctx, &rows.rows, &whole))).await;
    Ok(plan.object(&rows, &rows.rows, &found, &mut resolved.into_iter()))
}

impl Others<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What the entity's own resolvers answer for each row; nothing for what failed, which has been
    /// noted. All rows at once, so that loaders see every wish in one batch.
    async fn resolve<E: Entity>(
        &self,
        ctx: &Context<'_>,
        rows: &[Values],
        whole: &HashMap<Uuid, E>,
    ) -> Vec<Vec<Option<Value>>> {
        if self.is_empty() {
            return vec![];
        }
        let row = |(index, row): (usize, &Values)| {
            let entity = row.id(0).and_then(|id| whole.get(&id));
            async move {
                let Some(entity) = entity else { return vec![None; self.wanted.len()] };
                let connection = ctx.with_selection_set(&ctx.item.node.selection_set);
                let list = connection.with_field(self.list);
                let row = list.with_index(index);
                let row = row.with_selection_set(&self.list.node.selection_set);
                match self.inner {
                    None => self.of_row(&row, entity).await,
                    Some(inner) => {
                        let node = row.with_field(inner);
                        self.of_row(&node.with_selection_set(&inner.node.selection_set), entity).await
                    }
                }
            }
        };
        join_all(rows.iter().enumerate().map(row)).await
    }

    async fn of_row<E: Entity>(&self, ctx: &ContextSelectionSet<'_>, entity: &E) -> Vec<Option<Value>> {
        let resolved = self.wanted.iter().map(|field| async move {
            match entity.resolve_field(&ctx.with_field(field)).await {
                Ok(value) => Some(value.unwrap_or_default()),
                Err(error) => {
                    ctx.add_error(error);
                    None
                }
            }
        });
        join_all(resolved).await
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
        registry.create_output_type::<Self, _>(MetaTypeId::Object, describe::<E>)
    }

    /// Pages are answered by their plan; no value of this type is ever made.
    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

fn describe<E: Entity>(registry: &mut Registry) -> registry::MetaType {
    let (node, edge) = (format!("{}!", E::NAME), format!("{}Edge", E::NAME));
    let info = PageInfo::create_type_info(registry);
    let edges = registry::define(registry, &edge.clone(), |_| {
        let about_cursor = "Names this place: give it as `after` or `before`.";
        let fields = [
            registry::output("cursor", "String!", about_cursor, vec![]),
            registry::output("node", &node, "The row.", vec![]),
        ];
        registry::object_named(&edge, &format!("One {} and its place in the list.", E::ONE), fields)
    });
    let about_total = "How many rows pass the filter, on all pages together.";
    let fields = [
        registry::output("nodes", &format!("[{node}]!"), "The rows of this page.", vec![]),
        registry::output(
            "edges",
            &format!("[{edges}!]!"),
            "The rows of this page, each with its cursor.",
            vec![],
        ),
        registry::output("pageInfo", &info, "Where this page stands in the list.", vec![]),
        registry::output("totalCount", "Int!", about_total, vec![]),
    ];
    registry::object::<Connection<E>>(&format!("One page of {}.", E::MANY), fields)
}
