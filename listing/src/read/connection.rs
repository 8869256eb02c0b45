//! Lists as GraphQL answers them: one page of rows, after the Relay specification of cursor
//! connections.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, ServerResult, SimpleObject, Value,
    parser::types::Field,
};
use futures_util::future::join_all;
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    AnyEntity, Entity, Loaders,
    read::{
        cursor,
        json::{Answers, Json, Key, within},
        page::{Page, Rows, at},
        plan::{Found, Layout, Resolved, Steps},
        queries::whole,
        selection::Asked,
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
    parts: Vec<(Key, Part)>,
}

/// How a field of a connection is made.
enum Part {
    Fixed(String),
    Nodes(RowPart),
    Edges(Vec<(Key, EdgePart)>),
    PageInfo(Vec<(Key, Info)>),
    Total,
}

/// How a field of an edge is made.
enum EdgePart {
    Fixed(String),
    Cursor,
    Node(RowPart),
}

/// How a row is made.
struct RowPart {
    steps: Steps,
    /// Its number among those that resolvers have a part in.
    place: usize,
}

enum Info {
    Fixed,
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
}

/// Fields of rows that only the entity's own resolvers know, asked for under one key of a connection.
pub(crate) struct Others<'a> {
    /// The list, and what stands between it and a row: `nodes`; `edges` and `node`.
    list: &'a Positioned<Field>,
    inner: Option<&'a Positioned<Field>>,
    wanted: Vec<Asked<'a>>,
}

/// A page, and all that was read for it.
struct Sheet<'s> {
    page: &'s Rows,
    rows: &'s [Values],
    found: &'s Found,
    /// What resolvers answered, by [`RowPart::place`] and row by row.
    resolved: &'s [Vec<Vec<Option<Value>>>],
}

impl Sheet<'_> {
    fn resolved(&self, place: usize, row: usize) -> &Resolved {
        self.resolved.get(place).and_then(|rows| rows.get(row)).map(Vec::as_slice).unwrap_or_default()
    }
}

impl ConnectionPlan {
    /// Compiles what is asked of a connection, and what is left to resolvers.
    pub(crate) fn of<'a>(
        ctx: &Context<'a>,
        scope: &Scope,
        entity: AnyEntity,
        asked: &Asked<'a>,
        page: Page,
    ) -> (Self, Vec<Others<'a>>) {
        let mut plan = Self { entity, layout: Layout::new(entity, &page.order), page, parts: vec![] };
        let mut others = vec![];
        let ty = format!("{}Connection", entity.name);
        for field in asked.fields(ctx, &ty) {
            let part = match field.name() {
                "nodes" => Part::Nodes(plan.node(ctx, scope, &field, None, &mut others)),
                "edges" => Part::Edges(plan.edge(ctx, scope, &field, &mut others)),
                "pageInfo" => {
                    plan.page.peek = true;
                    Part::PageInfo(info(ctx, &field))
                }
                "totalCount" => {
                    plan.page.total = true;
                    Part::Total
                }
                _ => Part::Fixed(ty.clone()),
            };
            plan.parts.push((field.key(), part));
        }
        plan.page.columns.clone_from(&plan.layout.columns);
        plan.page.joins.clone_from(&plan.layout.joins);
        (plan, others)
    }

    fn node<'a>(
        &mut self,
        ctx: &Context<'a>,
        scope: &Scope,
        list: &Asked<'a>,
        inner: Option<&Asked<'a>>,
        others: &mut Vec<Others<'a>>,
    ) -> RowPart {
        let asked = inner.unwrap_or(list).fields(ctx, self.entity.name);
        let mut wanted = vec![];
        let steps = Steps::of(ctx, scope, self.entity, asked, &mut self.layout, &mut wanted);
        others.push(Others { list: list.first(), inner: inner.map(Asked::first), wanted });
        RowPart { steps, place: others.len() - 1 }
    }

    fn edge<'a>(
        &mut self,
        ctx: &Context<'a>,
        scope: &Scope,
        list: &Asked<'a>,
        others: &mut Vec<Others<'a>>,
    ) -> Vec<(Key, EdgePart)> {
        let ty = format!("{}Edge", self.entity.name);
        let mut parts = vec![];
        for field in list.fields(ctx, &ty) {
            let part = match field.name() {
                "node" => EdgePart::Node(self.node(ctx, scope, list, Some(&field), others)),
                "cursor" => EdgePart::Cursor,
                _ => EdgePart::Fixed(ty.clone()),
            };
            parts.push((field.key(), part));
        }
        parts
    }

    /// Several pages of this plan, read together what belongs to their rows.
    pub(crate) async fn answer(&self, scope: &Scope, pages: Vec<Rows>) -> Result<Vec<Json>, Failure> {
        let mut rows: Vec<Values> = vec![];
        let mut sheets = Vec::with_capacity(pages.len());
        for mut page in pages {
            let first = rows.len();
            rows.append(&mut page.rows);
            sheets.push((page, first..rows.len()));
        }
        let found = self.layout.branch_out(scope, &rows).await?;
        let (mut answers, mut bytes) = (Vec::with_capacity(sheets.len()), 0);
        for (page, range) in sheets {
            let rows = rows.get(range).unwrap_or_default();
            let mut json = Json::default();
            self.write(&mut json, &Sheet { page: &page, rows, found: &found, resolved: &[] });
            bytes += json.len();
            within(bytes)?;
            answers.push(json);
        }
        Ok(answers)
    }

    /// Writes a page without rows.
    pub(crate) fn write_empty(&self, json: &mut Json) {
        let (page, found) = (self.page.nothing(), Found::default());
        self.write(json, &Sheet { page: &page, rows: &[], found: &found, resolved: &[] });
    }

    fn write(&self, json: &mut Json, sheet: &Sheet<'_>) {
        let rows = || sheet.rows.iter().enumerate();
        json.object(&self.parts, |json, part| match part {
            Part::Nodes(node) => {
                json.list(rows(), |json, (at, row)| self.write_row(json, node, sheet, at, row));
            }
            Part::Edges(parts) => json.list(rows(), |json, (at, row)| {
                json.object(parts, |json, part| match part {
                    EdgePart::Node(node) => self.write_row(json, node, sheet, at, row),
                    EdgePart::Cursor => json.plain(self.cursor(row)),
                    EdgePart::Fixed(name) => json.plain(name),
                });
            }),
            Part::PageInfo(parts) => json.object(parts, |json, info| self.write_info(json, info, sheet)),
            Part::Total => json.plain(sheet.page.total.unwrap_or_default()),
            Part::Fixed(name) => json.plain(name),
        });
    }

    fn write_row(&self, json: &mut Json, node: &RowPart, sheet: &Sheet<'_>, at: usize, row: &Values) {
        let resolved = sheet.resolved(node.place, at);
        node.steps.write(json, &self.layout, &self.page.order, row, sheet.found, resolved);
    }

    fn write_info(&self, json: &mut Json, info: &Info, sheet: &Sheet<'_>) {
        match info {
            Info::Fixed => json.plain("PageInfo"),
            Info::HasNextPage => json.plain(sheet.page.more_after),
            Info::HasPreviousPage => json.plain(sheet.page.more_before),
            Info::StartCursor => json.plain(sheet.rows.first().map(|row| self.cursor(row))),
            Info::EndCursor => json.plain(sheet.rows.last().map(|row| self.cursor(row))),
        }
    }

    fn cursor(&self, row: &Values) -> String {
        cursor::encode(row, &self.page.columns, &self.page.order)
    }
}

fn info(ctx: &Context<'_>, asked: &Asked<'_>) -> Vec<(Key, Info)> {
    let info = |field: Asked<'_>| {
        let info = match field.name() {
            "hasNextPage" => Info::HasNextPage,
            "hasPreviousPage" => Info::HasPreviousPage,
            "startCursor" => Info::StartCursor,
            "endCursor" => Info::EndCursor,
            _ => Info::Fixed,
        };
        (field.key(), info)
    };
    asked.fields(ctx, "PageInfo").into_iter().map(info).collect()
}

/// The list that the field being resolved asks for.
pub(crate) async fn list<E: Entity>(ctx: &Context<'_>) -> ServerResult<Value> {
    resolve::<E>(ctx, async |scope, plan| plan.page.read(scope).await).await
}

/// The children of one parent that the field being resolved asks for.
pub(crate) async fn children<E: Entity>(
    ctx: &Context<'_>,
    column: &'static str,
    parent: Uuid,
) -> ServerResult<Value> {
    let read = async |scope: &Scope, plan: &ConnectionPlan| {
        Loaders::of(ctx)?.children(scope).load(parent, column, plan.page.clone()).await
    };
    resolve::<E>(ctx, read).await
}

async fn resolve<E: Entity>(
    ctx: &Context<'_>,
    read: impl AsyncFnOnce(&Scope, &ConnectionPlan) -> Result<Rows, Failure>,
) -> ServerResult<Value> {
    let answered = async {
        let (scope, answers) = (scope(ctx)?, Answers::of(ctx)?);
        let page = Page::of::<E>(ctx, scope)?;
        let asked = Asked::being_resolved(ctx);
        let (plan, others) = ConnectionPlan::of(ctx, scope, AnyEntity::of::<E>(), &asked, page);
        let page = read(scope, &plan).await?;
        let rows = page.rows.as_slice();
        let found = plan.layout.branch_out(scope, rows).await?;
        let whole = match others.iter().all(Others::is_empty) {
            true => HashMap::new(),
            false => whole::<E>(scope, rows).await?,
        };
        let resolved = join_all(others.iter().map(|others| others.resolve(ctx, rows, &whole))).await;
        let mut json = Json::default();
        plan.write(&mut json, &Sheet { page: &page, rows, found: &found, resolved: &resolved });
        answers.finish(json, !others.iter().all(Others::is_empty))
    };
    answered.await.map_err(|failure| at(ctx, failure))
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
        let resolve = |field| async move {
            match entity.resolve_field(&ctx.with_field(field)).await {
                Ok(value) => Some(value.unwrap_or_default()),
                Err(error) => {
                    ctx.add_error(error);
                    None
                }
            }
        };
        let wanted = self.wanted.iter().map(|asked| async move {
            let answers = join_all(asked.places().map(resolve)).await;
            answers.into_iter().flatten().reduce(both)
        });
        join_all(wanted).await
    }
}

/// What two selections of the same field were answered, as one.
fn both(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (key, more) in other {
                let there = one.entry(key).or_default();
                *there = both(std::mem::take(there), more);
            }
            Value::Object(one)
        }
        (Value::List(one), Value::List(other)) => {
            Value::List(one.into_iter().zip(other).map(|(one, other)| both(one, other)).collect())
        }
        (Value::Null, other) => other,
        (one, _) => one,
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
