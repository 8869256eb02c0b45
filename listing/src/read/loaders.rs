//! Related rows, many at a time: loaders that live as long as one request.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::Context;
use dataloader::{BatchFn, non_cached::Loader};
use tenancy::{Failure, Scope};
use uuid::Uuid;

use crate::{
    entity::Entity,
    read::{
        find,
        page::{Page, Rows},
    },
    sql::{
        column::Column,
        condition::{Link, Table},
        select::Select,
        values::values,
    },
    value::Value,
};

/// How often a loader lets others add to its batch before it runs.
const YIELDS: usize = 1;
/// How many keys one batch holds.
const MAX_BATCH: usize = 1000;

/// The loaders of one request, each made when it is first used.
#[derive(Default)]
pub struct Loaders(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Loaders {
    /// Those of this request.
    ///
    /// # Errors
    /// A fault of ours if the gateway did not provide them.
    pub fn of<'c>(ctx: &Context<'c>) -> Result<&'c Self, Failure> {
        ctx.data().map_err(|error| Failure::internal(error.message))
    }

    /// Entities of this type by their ids.
    pub(crate) fn one<E: Entity>(&self, scope: &Scope, table: impl FnOnce() -> Table) -> Arc<OneLoader<E>> {
        self.get(|| OneLoader::new(ById { scope: scope.clone(), table: table(), entity: PhantomData }))
    }

    /// Values of rows by their ids.
    pub(crate) fn values(&self, scope: &Scope) -> Arc<ValueLoader> {
        self.get(|| ValueLoader::new(scope.clone()))
    }

    /// Pages of children by their parents.
    pub(crate) fn children(&self, scope: &Scope) -> Arc<ChildrenLoader> {
        self.get(|| ChildrenLoader::new(scope.clone()))
    }

    fn get<L: Any + Send + Sync>(&self, make: impl FnOnce() -> L) -> Arc<L> {
        let mut loaders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = loaders.get(&TypeId::of::<L>()).cloned().and_then(|loader| loader.downcast().ok());
        there.unwrap_or_else(|| {
            let loader = Arc::new(make());
            let untyped: Arc<dyn Any + Send + Sync> = Arc::<L>::clone(&loader);
            loaders.insert(TypeId::of::<L>(), untyped);
            loader
        })
    }
}

type One<E> = Result<Option<Arc<E>>, Failure>;

/// Entities by their id. Deleted ones are absent.
pub(crate) struct OneLoader<E: Entity>(Loader<Uuid, One<E>, ById<E>>);

struct ById<E> {
    scope: Scope,
    /// The rows that the session sees.
    table: Table,
    entity: PhantomData<fn() -> E>,
}

impl<E: Entity> OneLoader<E> {
    fn new(batch: ById<E>) -> Self {
        Self(Loader::new(batch).with_yield_count(YIELDS).with_max_batch_size(MAX_BATCH))
    }

    /// The entity with this id, if it is there.
    ///
    /// # Errors
    /// What the database refuses.
    pub(crate) async fn load(&self, id: Uuid) -> One<E> {
        self.0.try_load(id).await.map_err(Failure::internal)?
    }
}

impl<E: Entity> BatchFn<Uuid, One<E>> for ById<E> {
    async fn load(&mut self, ids: &[Uuid]) -> HashMap<Uuid, One<E>> {
        let found = find::by_id::<E>(&self.scope, &self.table, ids.to_vec()).await;
        let found = found
            .map(|rows| rows.into_iter().map(|(id, row)| (id, Arc::new(row))).collect::<HashMap<_, _>>());
        let answer = |id: &Uuid| match &found {
            Ok(rows) => Ok(rows.get(id).cloned()),
            Err(failure) => Err(failure.clone()),
        };
        ids.iter().map(|id| (*id, answer(id))).collect()
    }
}

/// A page of the children of one parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    parent: Uuid,
    /// How they belong to the parent.
    link: Link,
    page: Arc<Page>,
}

/// Pages of children, for many parents at once; parents that ask for the same page share a
/// statement.
pub(crate) struct ChildrenLoader(Loader<Key, Result<Rows, Failure>, ByParent>);

struct ByParent(Scope);

impl ChildrenLoader {
    fn new(scope: Scope) -> Self {
        Self(Loader::new(ByParent(scope)).with_yield_count(YIELDS).with_max_batch_size(MAX_BATCH))
    }

    pub(crate) async fn load(&self, parent: Uuid, link: Link, page: Page) -> Result<Rows, Failure> {
        let key = Key { parent, link, page: Arc::new(page) };
        self.0.try_load(key).await.map_err(Failure::internal)?
    }
}

impl BatchFn<Key, Result<Rows, Failure>> for ByParent {
    async fn load(&mut self, keys: &[Key]) -> HashMap<Key, Result<Rows, Failure>> {
        let mut parents_of: HashMap<(Link, &Arc<Page>), Vec<Uuid>> = HashMap::new();
        for Key { parent, link, page } in keys {
            parents_of.entry((*link, page)).or_default().push(*parent);
        }
        let mut answers = HashMap::with_capacity(keys.len());
        for ((link, page), parents) in parents_of {
            let found = page.of_parents(&self.0, link, parents.clone()).await;
            let mut found = found.map(|found| found.into_iter().collect::<HashMap<_, _>>());
            for parent in parents {
                let own = match &mut found {
                    Ok(found) => Ok(found.remove(&parent).unwrap_or_else(|| page.nothing())),
                    Err(failure) => Err(failure.clone()),
                };
                answers.insert(Key { parent, link, page: Arc::clone(page) }, own);
            }
        }
        answers
    }
}

/// A value of a row: of which rows, which value, and the row's id.
type ValueKey = (Arc<Table>, Column, Uuid);

/// Values of rows by their ids, for rows that were read without them.
pub(crate) struct ValueLoader(Loader<ValueKey, Result<Value, Failure>, ByRow>);

struct ByRow(Scope);

impl ValueLoader {
    fn new(scope: Scope) -> Self {
        Self(Loader::new(ByRow(scope)).with_yield_count(YIELDS).with_max_batch_size(MAX_BATCH))
    }

    /// The value; null if the row is not seen.
    pub(crate) async fn load(&self, table: Table, column: Column, id: Uuid) -> Result<Value, Failure> {
        self.0.try_load((Arc::new(table), column, id)).await.map_err(Failure::internal)?
    }
}

impl BatchFn<ValueKey, Result<Value, Failure>> for ByRow {
    async fn load(&mut self, keys: &[ValueKey]) -> HashMap<ValueKey, Result<Value, Failure>> {
        let mut ids_of: HashMap<(&Arc<Table>, &Column), Vec<Uuid>> = HashMap::new();
        for (table, column, id) in keys {
            ids_of.entry((table, column)).or_default().push(*id);
        }
        let mut answers = HashMap::with_capacity(keys.len());
        for ((table, column), ids) in ids_of {
            let select =
                Select::by_id(Table::clone(table), vec![Column::id(""), column.clone()], ids.clone());
            let rows = values(&self.0, select).await;
            let found: Result<HashMap<Uuid, Value>, Failure> = rows
                .map(|rows| rows.iter().filter_map(|row| Some((row.id(0)?, row.at(1).clone()))).collect());
            for id in ids {
                let answer = match &found {
                    Ok(found) => Ok(found.get(&id).cloned().unwrap_or(Value::Null)),
                    Err(failure) => Err(failure.clone()),
                };
                answers.insert((Arc::clone(table), column.clone(), id), answer);
            }
        }
        answers
    }
}
