//! `search(text:)`: what contains a text, of all types together.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue, parser::types::Field, resolver_utils::resolve_container,
};
use chrono::{DateTime, Utc};
use futures_util::future::{join_all, try_join_all};
use tenancy::{Failure, Permission, Scope};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::{argument, at, given_value, scope},
    limits::{DEFAULT_HITS, MAX_PAGE, MAX_SEARCH, MAX_WORDS},
    read::{
        page::{Page, limit},
        search::Search,
    },
    registry::{self, MetaTypeId, Registry},
    sql::column::Column,
    value::Value,
};

/// The enum of the types that can be searched.
const TYPES: &str = "SearchableType";

/// The entities that a service searches together.
pub trait SearchedTypes: Send + Sync + 'static {
    /// All of them; each is searchable.
    fn all() -> Vec<&'static AnyEntity>;
}

/// `search(text:)`, to be merged into a service's queries.
pub struct SearchQueries<T>(PhantomData<fn() -> T>);

impl<T> Default for SearchQueries<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: SearchedTypes> OutputType for SearchQueries<T> {
    fn type_name() -> Cow<'static, str> {
        "SearchQueries".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let values = T::all().into_iter().map(|entity| (constant(entity), format!("The {}.", entity.many)));
            let types = registry::define(registry, TYPES, |_| {
                registry::enumeration(TYPES, "What can be searched.", values)
            });
            let about_text = format!(
                "The words that each row contains, anywhere and in any order; case and accents do not matter. \
                 At least one word, at most {MAX_WORDS} words and {MAX_SEARCH} characters."
            );
            let about_first = format!("The number of rows, at most {MAX_PAGE}.");
            let about_types = "Only rows of these types. By default, rows of every type that the session may read.";
            let arguments = vec![
                registry::input("text", "String!", &about_text),
                registry::input("types", &format!("[{types}!]"), about_types),
                registry::defaulted(registry::input("first", "Int", &about_first), DEFAULT_HITS),
            ];
            let about = "Rows of any type that contain a text, the newest first. Only rows that the lists of \
                         their types show to the session.";
            let search = registry::output("search", "[Node!]", about, arguments);
            let search = registry::rows(registry, &registry::HITS, search);
            registry::object::<Self>("", [registry::never_null(registry, search)])
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<GraphQLValue> {
        resolve_container(ctx, self).await
    }
}

impl<T: SearchedTypes> ContainerType for SearchQueries<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<GraphQLValue>> {
        if ctx.item.node.name.node != "search" {
            return Ok(None);
        }
        let hits = hits(ctx, T::all()).await.map_err(|failure| at(ctx, failure))?;
        // `join_all`: dropping one future could cancel a loader batch that the others wait for.
        let rows = join_all(hits.iter().map(|hit| (hit.entity.resolvers.one)(ctx, hit.id))).await;
        let mut rows = rows.into_iter().collect::<ServerResult<Vec<_>>>()?;
        // A row may have gone since it was found.
        rows.retain(|row| *row != GraphQLValue::Null);
        Ok(Some(GraphQLValue::List(rows)))
    }
}

impl<T: SearchedTypes> ObjectType for SearchQueries<T> {}

/// A row that was found.
struct Hit {
    created_at: DateTime<Utc>,
    entity: &'static AnyEntity,
    id: Uuid,
}

/// The rows that the field being resolved asks for.
async fn hits(ctx: &Context<'_>, all: Vec<&'static AnyEntity>) -> Result<Vec<Hit>, Failure> {
    let scope = scope(ctx)?;
    let types = types(ctx, scope, all)?;
    let text = argument::<String>(ctx, "text")?.unwrap_or_default();
    let nothing = || Failure::bad_request("text", "Search for at least one word.");
    let search = Search::words("text", &text)?.ok_or_else(nothing)?;
    let first = match argument(ctx, "first")? {
        Some(first) => limit("first", first, MAX_PAGE)?,
        None => DEFAULT_HITS,
    };
    let of_types = types.into_iter().map(|entity| hits_of(scope, entity, search.clone(), first));
    let mut hits: Vec<Hit> = try_join_all(of_types).await?.into_iter().flatten().collect();
    hits.sort_by_key(|hit| std::cmp::Reverse((hit.created_at, hit.id)));
    hits.truncate(first);
    Ok(hits)
}

/// The newest hits of one type.
async fn hits_of(
    scope: &Scope,
    entity: &'static AnyEntity,
    search: Search,
    first: usize,
) -> Result<Vec<Hit>, Failure> {
    let mut page = Page::filtered(scope, entity, None, None)?;
    page.search(Some(search));
    page.limit = first;
    page.columns = [Some(Column::id(entity.prefix)), entity.column(scope.session(), "createdAt")]
        .into_iter()
        .flatten()
        .collect();
    let hit = |id, created_at: &Value| match created_at {
        Value::Instant(created_at) => Some(Hit { created_at: *created_at, entity, id }),
        _ => None,
    };
    let rows = page.read(scope).await?.rows;
    Ok(rows.iter().filter_map(|row| hit(row.id(0)?, row.at(1))).collect())
}

/// The types that are searched: those that are named, else those that the session may read.
///
/// # Errors
/// FORBIDDEN for a named one that the session may not read, and if it may read none.
fn types(
    ctx: &Context<'_>,
    scope: &Scope,
    all: Vec<&'static AnyEntity>,
) -> Result<Vec<&'static AnyEntity>, Failure> {
    let named: Vec<String> = match given_value(ctx, "types") {
        Some(GraphQLValue::List(names)) => names.iter().map(plain).collect(),
        Some(name) => vec![plain(&name)],
        None => {
            let any: Vec<Permission> = all.iter().flat_map(|entity| entity.read).copied().collect();
            scope.require_any(&any)?;
            return Ok(all.into_iter().filter(|entity| entity.require(scope).is_ok()).collect());
        }
    };
    let wanted: Vec<_> = all.into_iter().filter(|entity| named.contains(&constant(entity))).collect();
    wanted.iter().try_for_each(|entity| entity.require(scope))?;
    Ok(wanted)
}

/// The name in a value of the enum, which is text in variables.
fn plain(value: &GraphQLValue) -> String {
    match value {
        GraphQLValue::Enum(name) => name.to_string(),
        GraphQLValue::String(name) => name.clone(),
        _ => String::new(),
    }
}

/// As the enum spells a type: `WEBHOOK_ENDPOINT`.
fn constant(entity: &AnyEntity) -> String {
    let mut name = String::with_capacity(entity.name.len());
    for letter in entity.name.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}
