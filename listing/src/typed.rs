//! What ties an entity's type to its description: so that everything else needs only the description.

use std::sync::Arc;

use async_graphql::{Context, OutputType, ServerResult, Value as GraphQLValue};
use diesel::{Column, sql_types as st};
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Scope, Session};
use uuid::Uuid;

use crate::{
    any::{AnyEntity, AnyRelation, ResolvedRows, Resolvers, Way},
    context::{at, scope},
    entity::{Entity, Relation},
    field::{Field, IdColumn},
    read::{
        deleted::Deleted, find, json::ResponseBudget, loaders::Loaders, resolver_fields,
        selection::ResolverFields,
    },
    sql::{
        condition::{Between, Link, SeenBy},
        values::Values,
    },
};

/// The description of an entity.
pub const fn entity<E: Entity>() -> &'static AnyEntity {
    const {
        &AnyEntity {
            name: E::NAME,
            prefix: E::PREFIX,
            one: E::ONE,
            many: E::MANY,
            table: E::TABLE,
            read: E::READ,
            sight: E::sight,
            deleted_sight: E::deleted_sight,
            life: E::LIFE,
            offers: E::OFFERS,
            searchable: E::SEARCHABLE,
            id: Field::own_id(E::PREFIX),
            own: E::FIELDS,
            relation_at: relation_at::<E>,
            resolvers: Resolvers { one: resolve_one::<E>, fields: resolve_fields::<E> },
        }
    }
}

fn relation_at<E: Entity>(place: usize) -> Option<&'static AnyRelation> {
    E::RELATIONS.get(place).map(|relation| &relation.erased)
}

/// By way of the loaders, so that many ids of one type are one statement.
fn resolve_one<'c, E: Entity>(ctx: &'c Context<'c>, id: Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>> {
    async move {
        let found = async {
            let budget = ResponseBudget::of(ctx)?;
            Ok((budget, one::<E>(ctx, id).await?))
        };
        let (budget, found) = found.await.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let answer = OutputType::resolve(&found, &selection, ctx.item).await?;
        budget.count(&answer).map_err(|failure| at(ctx, failure))?;
        Ok(answer)
    }
    .boxed()
}

async fn one<E: Entity>(ctx: &Context<'_>, id: Uuid) -> Result<Option<Arc<E>>, Failure> {
    let (scope, entity) = (scope(ctx)?, entity::<E>());
    entity.require(scope)?;
    let rows = || entity.rows(scope.session());
    match Deleted::of(ctx)? {
        Deleted::Exclude => Loaders::of(ctx)?.one::<E>(scope, rows).load(id).await,
        deleted => {
            let found = find::by_id(scope, &deleted.rows(rows()), vec![id]).await?.remove(&id);
            Ok(found.map(Arc::new))
        }
    }
}

/// The row with this id; nothing if the session does not see it, or it is deleted.
///
/// # Errors
/// FORBIDDEN without a permission to read such rows, and what the database refuses.
pub async fn find<E: Entity>(scope: &Scope, id: Uuid) -> Result<Option<E>, Failure> {
    let entity = entity::<E>();
    entity.require(scope)?;
    Ok(find::by_id(scope, &entity.rows(scope.session()), vec![id]).await?.remove(&id))
}

fn resolve_fields<'r, 'c, E: Entity>(
    ctx: &'r Context<'c>,
    scope: &'r Scope,
    rows: &'r [Values],
    fields: &'r [ResolverFields<'c>],
) -> BoxFuture<'r, Result<Vec<ResolvedRows>, Failure>> {
    async move {
        let ids = rows.iter().filter_map(|row| row.id(0)).collect();
        // A list of deleted rows asks for them too.
        let table = entity::<E>().rows(scope.session()).with_deleted();
        let whole = find::by_id::<E>(scope, &table, ids).await?;
        Ok(resolver_fields::resolve(ctx, rows, &whole, fields).await)
    }
    .boxed()
}

impl SeenBy {
    /// By the `R` that a column refers to: a session that sees it sees the row. Must not lead back.
    pub fn seen_with<R, C>(_: C, session: &Session) -> Self
    where
        R: Entity,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        Self::with(C::NAME, &entity::<R>().rows(session))
    }
}

impl<E: Entity> Relation<E> {
    /// To the one `R` whose id stands in this column of the entity.
    pub const fn one<R, C>(name: &'static str, _: C, id: fn(&E) -> Option<Uuid>, about: &'static str) -> Self
    where
        R: Entity,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        let way = Way::One { column: C::NAME };
        let erased = AnyRelation { name, about, way, target: entity::<R>(), id: None, refers_only_to: None };
        Self { erased, key: id }
    }

    /// To all `R` that hold the entity's id in this column of theirs.
    pub const fn many<R, C>(name: &'static str, _: C, about: &'static str) -> Self
    where
        R: Entity,
        C: Column + Copy,
        C::SqlType: IdColumn,
    {
        fn own_id<E: Entity>(row: &E) -> Option<Uuid> {
            Some(row.id())
        }
        let way = Way::Many { link: Link::Column(C::NAME) };
        let erased = AnyRelation { name, about, way, target: entity::<R>(), id: None, refers_only_to: None };
        Self { erased, key: own_id::<E> }
    }

    /// To all `R` that rows of the table `between` join with the entity: they hold the entity's id in
    /// `ours`, and that of an `R` in `theirs`. Nothing of that table is deleted softly.
    pub const fn through<R, T, O, F>(
        name: &'static str,
        between: &'static str,
        _: O,
        _: F,
        about: &'static str,
    ) -> Self
    where
        R: Entity,
        O: Column<Table = T> + Copy,
        F: Column<Table = T> + Copy,
        O::SqlType: IdColumn,
        F::SqlType: IdColumn,
    {
        fn own_id<E: Entity>(row: &E) -> Option<Uuid> {
            Some(row.id())
        }
        let between = Between { table: between, ours: O::NAME, theirs: F::NAME };
        let way = Way::Many { link: Link::Between(between) };
        let erased = AnyRelation { name, about, way, target: entity::<R>(), id: None, refers_only_to: None };
        Self { erased, key: own_id::<E> }
    }

    /// Its id is a field of this name, which clients read and do not give. For columns that are not
    /// among the entity's own fields.
    #[must_use]
    pub const fn with_id(mut self, name: &'static str) -> Self {
        assert!(matches!(self.erased.way, Way::One { .. }), "only a relation to one has an id");
        if let Way::One { column } = self.erased.way {
            self.erased.id = Some(Field::reference(name, column, self.erased.target.prefix));
        }
        self
    }

    /// On write, the referenced row's column must equal `value`. What is there already is answered as
    /// it is.
    #[must_use]
    pub const fn refers_only_to<C>(mut self, _: C, value: &'static str) -> Self
    where
        C: Column<SqlType = st::Text> + Copy,
    {
        assert!(matches!(self.erased.way, Way::One { .. }), "only a relation to one is given by clients");
        self.erased.refers_only_to = Some((C::NAME, value));
        self
    }
}
