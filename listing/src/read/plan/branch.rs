//! What belongs to the rows of a list and is read in a statement of its own, one for all rows.

use std::collections::HashMap;

use async_graphql::Context;
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use super::{ConnectionPlan, Layout, Steps};
use crate::{
    any::AnyEntity,
    read::{
        json::{Json, within},
        page::{Page, Rows},
        selection::{ResolverFields, SelectedField},
    },
    sql::{
        condition::{Link, Table},
        select::Select,
        values::values,
    },
};

/// A relation of which more is asked than a join can bring.
pub(crate) trait Branch: Send + Sync {
    /// What there is for each of these ids.
    fn load<'b>(
        &'b self,
        scope: &'b Scope,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'b, Result<HashMap<Uuid, Json>, Failure>>;

    /// Writes what is answered where nothing was found.
    fn write_none(&self, json: &mut Json);
}

/// A relation to one.
pub(crate) struct One {
    target: &'static AnyEntity,
    layout: Layout,
    steps: Steps,
}

/// A relation to many.
pub(crate) struct Many {
    link: Link,
    plan: ConnectionPlan,
}

impl One {
    /// Nothing where something is asked that only a resolver knows.
    pub(crate) fn of(
        ctx: &Context<'_>,
        scope: &Scope,
        target: &'static AnyEntity,
        asked: &SelectedField<'_>,
    ) -> Option<Self> {
        let mut layout = Layout::new(target, &[]);
        let mut others = vec![];
        let asked = asked.fields(ctx, target.name);
        let steps = Steps::of(ctx, scope, target, asked, &mut layout, &mut others);
        others.is_empty().then_some(Self { target, layout, steps })
    }

    /// The rows with these ids that `table` reaches, as objects.
    pub(crate) async fn objects(
        &self,
        scope: &Scope,
        table: Table,
        ids: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Json>, Failure> {
        let columns = self.layout.columns.clone();
        let select = Select { joins: self.layout.joins.clone(), ..Select::by_id(table, columns, ids) };
        let rows = values(scope, select).await?;
        let found = self.layout.branch_out(scope, &rows).await?;
        let (mut objects, mut bytes) = (HashMap::with_capacity(rows.len()), 0);
        for row in &rows {
            let mut json = Json::default();
            self.steps.write(&mut json, &self.layout, &[], row, &found, &[]);
            bytes += json.len();
            within(bytes)?;
            objects.extend(row.id(0).map(|id| (id, json)));
        }
        Ok(objects)
    }
}

impl Branch for One {
    fn load<'b>(
        &'b self,
        scope: &'b Scope,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'b, Result<HashMap<Uuid, Json>, Failure>> {
        self.objects(scope, self.target.rows(scope.session()), ids).boxed()
    }

    fn write_none(&self, json: &mut Json) {
        json.null();
    }
}

impl Many {
    /// Nothing where something is asked that only a resolver knows, or an argument is wrong, which it
    /// will say.
    pub(crate) fn of(
        ctx: &Context<'_>,
        scope: &Scope,
        target: &'static AnyEntity,
        link: Link,
        asked: &SelectedField<'_>,
    ) -> Option<Self> {
        let here = ctx.with_selection_set(&ctx.item.node.selection_set);
        let field = here.with_field(asked.first());
        let page = Page::of(&field, scope, target).ok()?;
        let (plan, others) = ConnectionPlan::of(&field, scope, target, asked, page);
        others.iter().all(ResolverFields::is_empty).then_some(Self { link, plan })
    }
}

impl Branch for Many {
    fn load<'b>(
        &'b self,
        scope: &'b Scope,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'b, Result<HashMap<Uuid, Json>, Failure>> {
        async move {
            let pages = self.plan.page.of_parents(scope, self.link, ids).await?;
            let (parents, pages): (Vec<Uuid>, Vec<Rows>) = pages.into_iter().unzip();
            let answers = self.plan.answer(scope, pages).await?;
            Ok(parents.into_iter().zip(answers).collect())
        }
        .boxed()
    }

    fn write_none(&self, json: &mut Json) {
        self.plan.write_empty(json);
    }
}
