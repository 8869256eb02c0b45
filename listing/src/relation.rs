//! From one entity to another, many at a time: loaders that live as long as one request.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use dataloader::{BatchFn, non_cached::Loader};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    Condition, Connection, Entity, Identified, Page, PageArguments,
    page::at,
    queries::{find_many, page_of},
    registry::{self, MetaTypeId, Registry},
    statement::Row,
};

/// How often a loader lets others add to its batch before it runs.
const YIELDS: usize = 1;
/// How many keys one batch holds.
const MAX_BATCH: usize = 1000;

/// Entities by their id. Deleted ones are absent.
pub struct OneLoader<E: Entity>(Loader<Uuid, Result<Option<Arc<E>>, Failure>, ById<E>>);

struct ById<E> {
    scope: Scope,
    entity: PhantomData<fn() -> E>,
}

impl<E: Entity> OneLoader<E> {
    /// A loader for this request.
    pub fn new(scope: Scope) -> Self {
        let batch = ById { scope, entity: PhantomData };
        Self(Loader::new(batch).with_yield_count(YIELDS).with_max_batch_size(MAX_BATCH))
    }

    /// The entity with this id, if it is there.
    ///
    /// # Errors
    /// FORBIDDEN without the entity's permission to read, and what the database refuses.
    pub async fn load(&self, id: Uuid) -> Result<Option<Arc<E>>, Failure> {
        self.0.try_load(id).await.map_err(Failure::internal)?
    }
}

impl<E: Entity> BatchFn<Uuid, Result<Option<Arc<E>>, Failure>> for ById<E> {
    async fn load(&mut self, ids: &[Uuid]) -> HashMap<Uuid, Result<Option<Arc<E>>, Failure>> {
        let found = async {
            self.scope.require(E::READ)?;
            find_many::<E>(&self.scope, ids.to_vec()).await
        };
        let found = found
            .await
            .map(|rows| rows.into_iter().map(|row| (row.id(), Arc::new(row))).collect::<HashMap<_, _>>());
        let answer = |id: &Uuid| match &found {
            Ok(rows) => Ok(rows.get(id).cloned()),
            Err(failure) => Err(failure.clone()),
        };
        ids.iter().map(|id| (*id, answer(id))).collect()
    }
}

/// A relation from one parent to many children, as a field of the parent.
pub trait Relation: Send + Sync + 'static {
    /// What the children are.
    type Child: Entity;
    /// The field of the parent: `people`.
    const FIELD: &'static str;
    /// The children's column that holds the parent's id.
    const COLUMN: &'static str;
    /// What the field is for.
    const ABOUT: &'static str;

    /// The loader of this request.
    ///
    /// # Errors
    /// A fault of ours if the gateway did not provide one.
    fn loader<'c>(ctx: &Context<'c>) -> Result<&'c ChildrenLoader<Self>, Failure>
    where
        Self: Sized;
}

type Key = (Uuid, Arc<Page>);
type Rows<E> = Result<Arc<Vec<E>>, Failure>;

/// Pages of children, for many parents at once; parents that ask for the same page share a
/// statement.
pub struct ChildrenLoader<R: Relation>(Loader<Key, Rows<R::Child>, ByParent<R>>);

struct ByParent<R> {
    scope: Scope,
    relation: PhantomData<fn() -> R>,
}

impl<R: Relation> ChildrenLoader<R> {
    /// A loader for this request.
    pub fn new(scope: Scope) -> Self {
        let batch = ByParent { scope, relation: PhantomData };
        Self(Loader::new(batch).with_yield_count(YIELDS).with_max_batch_size(MAX_BATCH))
    }

    async fn load(&self, parent: Uuid, page: Page) -> Result<Connection<R::Child>, Failure> {
        let page = Arc::new(page);
        let key = (parent, Arc::clone(&page));
        let rows = self.0.try_load(key).await.map_err(Failure::internal)??;
        Ok(Connection::new(&page, Vec::clone(&rows)))
    }
}

impl<R: Relation> BatchFn<Key, Rows<R::Child>> for ByParent<R> {
    async fn load(&mut self, keys: &[Key]) -> HashMap<Key, Rows<R::Child>> {
        let mut parents_of: HashMap<&Arc<Page>, Vec<Uuid>> = HashMap::new();
        for (parent, page) in keys {
            parents_of.entry(page).or_default().push(*parent);
        }
        let mut answers = HashMap::with_capacity(keys.len());
        for (page, parents) in parents_of {
            let mut rows = self.children(page, parents.clone()).await;
            for parent in parents {
                let own = match &mut rows {
                    Ok(rows) => Ok(Arc::new(rows.remove(&parent).unwrap_or_default())),
                    Err(failure) => Err(failure.clone()),
                };
                answers.insert((parent, Arc::clone(page)), own);
            }
        }
        answers
    }
}

impl<R: Relation> ByParent<R> {
    async fn children(
        &self,
        page: &Page,
        parents: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<R::Child>>, Failure> {
        self.scope.require(R::Child::READ)?;
        let select = page_of::<R::Child>(page, [Condition::OfParent(R::COLUMN)]);
        let mut by_parent: HashMap<Uuid, Vec<R::Child>> = HashMap::new();
        for (parent, child) in R::Child::select_per_parent(&self.scope, parents, select).await? {
            by_parent.entry(parent).or_default().push(child);
        }
        Ok(by_parent)
    }
}

/// The field of a relation, to be flattened into the parent's object.
pub struct Children<R> {
    parent: Uuid,
    relation: PhantomData<fn() -> R>,
}

impl<R> Children<R> {
    /// The children of this parent.
    pub fn of(parent: Uuid) -> Self {
        Self { parent, relation: PhantomData }
    }
}

impl<R: Relation> OutputType for Children<R> {
    fn type_name() -> Cow<'static, str> {
        format!("{}_{}", R::Child::NAME, R::FIELD).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let many = <Connection<R::Child> as OutputType>::create_type_info(registry);
            let arguments = PageArguments::<R::Child>::describe(registry);
            registry::object::<Self>("", [registry::list(R::FIELD, &many, R::ABOUT, arguments)])
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<R: Relation> ContainerType for Children<R> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        if ctx.item.node.name.node.as_str() != R::FIELD {
            return Ok(None);
        }
        let arguments = PageArguments::<R::Child>::of(ctx).map_err(|error| ctx.set_error_path(error))?;
        let page = async { R::loader(ctx)?.load(self.parent, arguments.page()?).await };
        let page = page.await.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        OutputType::resolve(&page, &selection, ctx.item).await.map(Some)
    }
}

impl<R: Relation> ObjectType for Children<R> {}
