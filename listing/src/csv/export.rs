//! CSV out: the rows of a list, with the list's own filter and order.

use async_graphql::Value as GraphQLValue;
use futures_util::{
    StreamExt,
    stream::{BoxStream, try_unfold},
};
use tenancy::{Failure, Scope};

use crate::{
    any::AnyEntity,
    field::Exported,
    kind::{Kind, joined},
    read::{cursor, deleted::Deleted, page::Page, plan::Layout, reading::Reading, search::Search},
    scalar::{id::text_of, instant::Instant},
    sql::values::Values,
    value::Value,
};

/// How many rows are read first, while it is not known how long they are.
const FIRST_CHUNK: usize = 50;
/// How many rows are read at a time, at most.
const MAX_CHUNK: usize = 1000;
/// How many bytes of lines are made at a time, more or less: what is made waits in memory for the client.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How many columns an export has at most.
const MAX_COLUMNS: usize = 100;

/// What is asked of an export.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// The filter, as the list takes it.
    pub filter: Option<GraphQLValue>,
    /// Which rows are meant by their deletion, as the list takes it.
    pub deleted: Deleted,
    /// What is searched for, as the list takes it.
    pub search: Option<String>,
    /// The order, as the list takes it.
    pub order_by: Option<GraphQLValue>,
    /// The columns: fields of the entity, or of a related one as `company.name`. By default all that
    /// an import takes, the id, dates and revision.
    pub columns: Option<Vec<String>>,
}

/// The lines of a CSV, some at a time.
pub type Rows = BoxStream<'static, Result<Vec<u8>, Failure>>;

/// A column, and where its values stand.
struct Column {
    title: String,
    kind: Kind,
    source: Source,
}

enum Source {
    /// At this place of the row.
    Own(usize),
    /// At this place of this join.
    Joined(usize, usize),
}

/// What is read for one chunk, as the scope of that moment may read it.
struct Plan {
    page: Page,
    layout: Layout,
    columns: Vec<Column>,
}

/// Where an export stands.
struct State<S> {
    entity: &'static AnyEntity,
    export: Export,
    scopes: S,
    /// The place of the last row that was read.
    after: Option<Vec<Value>>,
    /// How many rows are read next.
    rows: usize,
    begun: bool,
    done: bool,
}

impl AnyEntity {
    /// The lines of an export, some at a time. It asks for a scope before each chunk, so that a
    /// session that ends or loses a permission midway ends the export.
    ///
    /// # Errors
    /// With the first chunk FORBIDDEN, and BAD_REQUEST for a filter, an order or columns that
    /// cannot be meant. With each chunk what `scopes` answers.
    pub fn export<S, F>(&'static self, export: Export, scopes: S) -> Rows
    where
        S: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<Scope, Failure>> + Send + 'static,
    {
        let state =
            State { entity: self, export, scopes, after: None, rows: FIRST_CHUNK, begun: false, done: false };
        try_unfold(state, State::next).boxed()
    }
}

impl Plan {
    fn new(entity: &'static AnyEntity, export: &Export, scope: &Scope) -> Result<Self, Failure> {
        let mut page = Page::filtered(scope, entity, export.filter.clone(), export.order_by.clone())?;
        page.deleted(export.deleted);
        page.search(Search::read("search", entity, export.search.clone())?);
        page.peek = true;
        let own = || {
            let columns = entity.fields().filter_map(|field| match field.exported {
                Exported::Values => Some(field.shape.name),
                Exported::Nothing => None,
                Exported::As(column) => Some(column),
            });
            columns.map(str::to_owned).collect()
        };
        let titles: Vec<String> = export.columns.clone().unwrap_or_else(own);
        if titles.is_empty() || titles.len() > MAX_COLUMNS {
            let message = format!("An export has 1 to {MAX_COLUMNS} columns.");
            return Err(Failure::bad_request("columns", message));
        }
        if let Some(twice) =
            titles.iter().enumerate().find(|(at, title)| titles.iter().take(*at).any(|t| t == *title))
        {
            return Err(Failure::bad_request("columns", format!("The column {:?} is named twice.", twice.1)));
        }
        let mut layout = Layout::new(entity, &page.order);
        let columns = titles.into_iter().map(|title| column(entity, title, scope, &mut layout));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        page.columns.clone_from(&layout.columns);
        page.joins.clone_from(&layout.joins);
        Ok(Self { page, layout, columns })
    }

    fn cell(&self, column: &Column, row: &Values) -> String {
        let place = match column.source {
            Source::Own(place) => place,
            Source::Joined(join, place) => self.layout.start(join, &self.page.order) + 1 + place,
        };
        text(column.kind, row.at(place))
    }
}

fn column(
    entity: &'static AnyEntity,
    title: String,
    scope: &Scope,
    layout: &mut Layout,
) -> Result<Column, Failure> {
    let unknown = || {
        let message = format!("There is no column {:?}.", title.chars().take(100).collect::<String>());
        Failure::bad_request("columns", message)
    };
    let reading = Reading::new(scope, "columns");
    if let Some(column) = reading.column(entity, &title)? {
        let kind = column.kind;
        return Ok(Column { title, kind, source: Source::Own(layout.column(column)) });
    }
    let (relation, name) = title.split_once('.').ok_or_else(unknown)?;
    let relation = entity.relation(relation).ok_or_else(unknown)?;
    let via = relation.via(scope.session()).ok_or_else(unknown)?;
    reading.require(relation.target)?;
    let column = reading.column(relation.target, name)?.ok_or_else(unknown)?;
    let kind = column.kind;
    let (join, place) = layout.join(&via, Some(column));
    Ok(Column { title, kind, source: Source::Joined(join, place) })
}

impl<S, F> State<S>
where
    S: FnMut() -> F,
    F: Future<Output = Result<Scope, Failure>>,
{
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Failure> {
        if self.done {
            return Ok(None);
        }
        let scope = (self.scopes)().await?;
        let mut plan = Plan::new(self.entity, &self.export, &scope)?;
        plan.page.after = self.after.take();
        plan.page.limit = self.rows;
        let mut csv = csv::Writer::from_writer(vec![]);
        if !self.begun {
            let titles = plan.columns.iter().map(|column| column.title.as_str());
            csv.write_record(titles).map_err(Failure::internal)?;
            self.begun = true;
        }
        let page = plan.page.read(&scope).await?;
        self.done = !page.more_after;
        for row in &page.rows {
            let cells = plan.columns.iter().map(|column| plan.cell(column, row));
            csv.write_record(cells).map_err(Failure::internal)?;
        }
        if let Some(last) = page.rows.last() {
            let place = cursor::place(last, &plan.page.columns, &plan.page.order);
            self.after = Some(place.into_iter().cloned().collect());
        }
        let lines = csv.into_inner().map_err(|error| Failure::internal(error.to_string()))?;
        self.rows = (self.rows * CHUNK_BYTES / lines.len().max(1)).clamp(1, MAX_CHUNK);
        Ok(Some((lines, self)))
    }
}

/// The texts that parts are known by, if there is nothing else to say of any.
fn plain<'p>(parts: &'p [serde_json::Value], key: &str) -> Option<Vec<&'p str>> {
    let text = |part: &'p serde_json::Value| {
        let text = part.as_object().filter(|part| part.len() == 1)?.get(key)?.as_str()?;
        // Such a cell would be read as JSON.
        (!text.starts_with('[')).then_some(text)
    };
    parts.iter().map(text).collect()
}

/// A value in a cell, as an import reads it again.
fn text(kind: Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (_, Value::Text(text)) => text.clone(),
        (_, Value::Integer(number)) => number.to_string(),
        (_, Value::Long(number)) => number.to_string(),
        (_, Value::Decimal(number)) => number.to_string(),
        (_, Value::Boolean(yes)) => yes.to_string(),
        (_, Value::Instant(at)) => Instant(*at).text(),
        (_, Value::Date(day)) => day.to_string(),
        (Kind::Id(prefix), Value::Uuid(id)) => text_of(prefix, *id),
        (_, Value::Uuid(id)) => id.to_string(),
        (_, Value::Texts(texts)) => joined(texts.iter().map(String::as_str)),
        (Kind::Parts(parts_kind), Value::Json(json)) => {
            let parts = json.as_array().map(Vec::as_slice).unwrap_or_default();
            match plain(parts, parts_kind.key) {
                Some(texts) => joined(texts),
                None => json.to_string(),
            }
        }
        (_, Value::Json(json)) => json.to_string(),
    }
}
