//! A page of a list as a relay connection: which parts are asked for, and how they are written.

use async_graphql::Context;
use tenancy::{Failure, Scope};

use super::{Found, Layout, Resolved, Steps};
use crate::{
    any::{AnyEntity, ResolvedRows},
    read::{
        cursor,
        json::{Json, Key, within},
        page::{Page, Rows},
        selection::{ResolverFields, SelectedField},
    },
    sql::values::Values,
};

/// What is asked of a connection, compiled.
pub(crate) struct ConnectionPlan {
    entity: &'static AnyEntity,
    pub(crate) page: Page,
    pub(crate) layout: Layout,
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

/// A page, and all that was read for it.
pub(crate) struct Sheet<'s> {
    pub(crate) page: &'s Rows,
    pub(crate) rows: &'s [Values],
    pub(crate) found: &'s Found,
    /// What resolvers answered, by [`RowPart::place`] and row by row.
    pub(crate) resolved: &'s [ResolvedRows],
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
        entity: &'static AnyEntity,
        asked: &SelectedField<'a>,
        page: Page,
    ) -> (Self, Vec<ResolverFields<'a>>) {
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
        list: &SelectedField<'a>,
        inner: Option<&SelectedField<'a>>,
        others: &mut Vec<ResolverFields<'a>>,
    ) -> RowPart {
        let asked = inner.unwrap_or(list).fields(ctx, self.entity.name);
        let mut wanted = vec![];
        let steps = Steps::of(ctx, scope, self.entity, asked, &mut self.layout, &mut wanted);
        others.push(ResolverFields { list: list.first(), inner: inner.map(SelectedField::first), wanted });
        RowPart { steps, place: others.len() - 1 }
    }

    fn edge<'a>(
        &mut self,
        ctx: &Context<'a>,
        scope: &Scope,
        list: &SelectedField<'a>,
        others: &mut Vec<ResolverFields<'a>>,
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

    pub(crate) fn write(&self, json: &mut Json, sheet: &Sheet<'_>) {
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

fn info(ctx: &Context<'_>, asked: &SelectedField<'_>) -> Vec<(Key, Info)> {
    let info = |field: SelectedField<'_>| {
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
