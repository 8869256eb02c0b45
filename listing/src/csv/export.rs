//! CSV out: the rows of a list, with the list's own filter and order.

use async_graphql::{InputType, Value as GraphQLValue};
use chrono::SecondsFormat;
use futures_util::{
    StreamExt,
    stream::{BoxStream, try_unfold},
};
use tenancy::{Failure, Scope};

use crate::{
    Entity, Kind, OrderBy, Statement, Value, Where, any::to_one, entity::field, field::Shape, read::cursor,
    read::order::Via, read::page::Page, read::queries::select, read::selection::Join, scalar::id::text_of,
    sql::values::Wide,
};

/// How many rows are read at a time.
const CHUNK: usize = 1000;
/// How many columns an export has at most.
const MAX_COLUMNS: usize = 100;

/// What is asked of an export.
pub struct Export {
    /// Who asks.
    pub scope: Scope,
    /// The filter, as the list takes it.
    pub filter: Option<GraphQLValue>,
    /// The order, as the list takes it.
    pub order_by: Option<GraphQLValue>,
    /// The columns: fields of the entity, or of a related one as `company.name`. All of its own
    /// unless told.
    pub columns: Option<Vec<String>>,
}

/// The lines of a CSV, some at a time.
pub type Rows = BoxStream<'static, Result<Vec<u8>, Failure>>;

/// A column, and where its values stand.
struct Column<E: 'static> {
    title: String,
    source: Source<E>,
}

enum Source<E: 'static> {
    Own(&'static crate::Field<E>),
    /// A field of the related row at this place among the joins.
    Related(usize, Shape),
}

struct State<E: 'static> {
    scope: Scope,
    page: Page,
    columns: Vec<Column<E>>,
    begun: bool,
    done: bool,
}

/// The rows of an export. What cannot be meant is said before the first one.
pub(crate) fn rows<E: Entity>(export: Export) -> Result<Rows, Failure> {
    let order_by = match export.order_by {
        Some(given) => Vec::<OrderBy<E>>::parse(Some(given))
            .map_err(|_| Failure::bad_request("orderBy", "This is not a list of fields to order by."))?,
        None => vec![],
    };
    let filter = export.filter.map(|given| Where::<E>::parse(Some(given))).transpose();
    let filter = filter.map_err(|_| Failure::bad_request("where", "This is not a filter."))?;
    let mut page = Page::filtered(&export.scope, filter, order_by)?;
    page.limit = CHUNK;
    let own = || E::FIELDS.iter().map(|field| field.shape.name.to_owned()).collect();
    let titles: Vec<String> = export.columns.unwrap_or_else(own);
    if titles.is_empty() || titles.len() > MAX_COLUMNS {
        let message = format!("An export has 1 to {MAX_COLUMNS} columns.");
        return Err(Failure::bad_request("columns", message));
    }
    let columns = titles.into_iter().map(|title| column::<E>(title, &export.scope, &mut page));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let state = State { scope: export.scope, page, columns, begun: false, done: false };
    Ok(try_unfold(state, State::next).boxed())
}

fn column<E: Entity>(title: String, scope: &Scope, page: &mut Page) -> Result<Column<E>, Failure> {
    let unknown = || {
        let message = format!("There is no column {:?}.", title.chars().take(100).collect::<String>());
        Failure::bad_request("columns", message)
    };
    if let Some(field) = field::<E>(&title) {
        return Ok(Column { title, source: Source::Own(field) });
    }
    let (relation, name) = title.split_once('.').ok_or_else(unknown)?;
    let to_one = to_one::<E>(relation).ok_or_else(unknown)?;
    let shape = (to_one.target.shape)(name).ok_or_else(unknown)?;
    scope.require(to_one.target.read)?;
    let via = Via::from(to_one);
    let join = match page.joins.iter().position(|join| join.via == via) {
        Some(join) => join,
        None => {
            page.joins.push(Join { via, shapes: vec![] });
            page.joins.len() - 1
        }
    };
    if let Some(join) = page.joins.get_mut(join).filter(|join| !join.shapes.contains(&shape)) {
        join.shapes.push(shape);
    }
    Ok(Column { title, source: Source::Related(join, shape) })
}

impl<E: Entity> State<E> {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Failure> {
        if self.done {
            return Ok(None);
        }
        let mut csv = csv::Writer::from_writer(vec![]);
        if !self.begun {
            let titles = self.columns.iter().map(|column| column.title.as_str());
            csv.write_record(titles).map_err(Failure::internal)?;
            self.begun = true;
        }
        let mut rows = E::rows(&self.scope, Statement::Select(select::<E>(&self.page, None))).await?;
        self.done = rows.len() <= CHUNK;
        rows.truncate(CHUNK);
        for row in &rows {
            let cells = self.columns.iter().map(|column| self.cell(column, row));
            csv.write_record(cells).map_err(Failure::internal)?;
        }
        if let Some(last) = rows.last() {
            self.page.after = self.page.values("after", Some(cursor::encode(last, &self.page.order)))?;
        }
        let lines = csv.into_inner().map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Some((lines, self)))
    }

    fn cell(&self, column: &Column<E>, row: &Wide<E>) -> String {
        match &column.source {
            Source::Own(field) => text(field.shape.kind, &(field.value)(&row.row)),
            Source::Related(join, shape) => {
                let keys = self.page.order.iter().filter(|key| key.via.is_some()).count();
                let before: usize =
                    self.page.joins.iter().take(*join).map(|join| 1 + join.shapes.len()).sum();
                let shapes = self.page.joins.get(*join).map(|join| join.shapes.as_slice());
                let at = shapes.and_then(|shapes| shapes.iter().position(|known| known == shape));
                let value = at.and_then(|at| row.more.get(keys + before + 1 + at));
                value.map_or_else(String::new, |value| text(shape.kind, value))
            }
        }
    }
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
        (_, Value::Instant(at)) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        (_, Value::Date(day)) => day.to_string(),
        (Kind::Id(prefix), Value::Uuid(id)) => text_of(prefix, *id),
        (_, Value::Uuid(id)) => id.to_string(),
        (_, Value::Texts(texts)) => texts.join("; "),
        (Kind::Parts(key), Value::Json(json)) => {
            let parts = json.as_array().map(Vec::as_slice).unwrap_or_default();
            let names: Vec<&str> = parts.iter().filter_map(|part| part.get(key)?.as_str()).collect();
            names.join("; ")
        }
        (_, Value::Json(json)) => json.to_string(),
    }
}
