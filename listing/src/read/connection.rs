//! Lists as GraphQL answers them: one page of rows, after the Relay specification of cursor
//! connections.

use async_graphql::{Context, OutputType, ServerResult, SimpleObject, Value as GraphQLValue};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::{at, scope},
    read::{
        json::{Json, ResponseBudget},
        loaders::Loaders,
        page::{Page, Rows},
        plan::{ConnectionPlan, Sheet},
        selection::{ResolverFields, SelectedField},
    },
    registry::{self, Registry},
    sql::condition::Link,
};

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

/// The list that the field being resolved asks for.
pub(crate) async fn list(ctx: &Context<'_>, entity: &'static AnyEntity) -> ServerResult<GraphQLValue> {
    resolve(ctx, entity, async |scope, plan| plan.page.read(scope).await).await
}

/// The children of one parent that the field being resolved asks for.
pub(crate) async fn children(
    ctx: &Context<'_>,
    entity: &'static AnyEntity,
    link: Link,
    parent: Uuid,
) -> ServerResult<GraphQLValue> {
    let read = async |scope: &Scope, plan: &ConnectionPlan| {
        Loaders::of(ctx)?.children(scope).load(parent, link, plan.page.clone()).await
    };
    resolve(ctx, entity, read).await
}

async fn resolve(
    ctx: &Context<'_>,
    entity: &'static AnyEntity,
    read: impl AsyncFnOnce(&Scope, &ConnectionPlan) -> Result<Rows, Failure>,
) -> ServerResult<GraphQLValue> {
    let answered = async {
        let (scope, budget) = (scope(ctx)?, ResponseBudget::of(ctx)?);
        let page = Page::of(ctx, scope, entity)?;
        let selected = SelectedField::being_resolved(ctx);
        let (plan, fields) = ConnectionPlan::of(ctx, scope, entity, &selected, page);
        let page = read(scope, &plan).await?;
        let rows = page.rows.as_slice();
        let found = plan.layout.branch_out(scope, rows).await?;
        let complete = fields.iter().all(ResolverFields::is_empty);
        let resolved = match complete {
            true => vec![],
            false => (entity.resolvers.fields)(ctx, scope, rows, &fields).await?,
        };
        let mut json = Json::default();
        plan.write(&mut json, &Sheet { page: &page, rows, found: &found, resolved: &resolved });
        budget.finish(json, !complete)
    };
    answered.await.map_err(|failure| at(ctx, failure))
}

/// The name of the type of a page of these entities.
pub(crate) fn type_name(entity: &str) -> String {
    format!("{entity}Connection")
}

/// The type of a page of these entities. Nullable wherever it stands: a field that can fail must not
/// take its neighbours with it.
pub(crate) fn describe(entity: &AnyEntity, registry: &mut Registry) -> String {
    let (node, edge) = (format!("{}!", entity.name), format!("{}Edge", entity.name));
    let info = PageInfo::create_type_info(registry);
    let edges = registry::define(registry, &edge.clone(), |_| {
        let about_cursor = "The cursor of this row, for `after` or `before`.";
        let fields = [
            registry::output("cursor", "String!", about_cursor, vec![]),
            registry::output("node", &node, "The row.", vec![]),
        ];
        registry::object_named(&edge, &format!("One {} and its place in the list.", entity.one), fields)
    });
    let about_total = "The number of rows that match, on all pages together.";
    let about_edges = "The rows of this page, each with its cursor.";
    let fields = [
        registry::output("nodes", &format!("[{node}]!"), "The rows of this page.", vec![]),
        registry::output("edges", &format!("[{edges}!]!"), about_edges, vec![]),
        registry::output("pageInfo", &info, "The position of this page in the list.", vec![]),
        registry::output("totalCount", "Int!", about_total, vec![]),
    ];
    let me = type_name(entity.name);
    let about = format!("One page of {}.", entity.many);
    registry::define(registry, &me.clone(), |_| registry::object_named(&me, &about, fields))
}
