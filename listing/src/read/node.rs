//! Anything by its id, after the Relay specification of global object identification.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use futures_util::future::{BoxFuture, join_all};
use tenancy::Failure;
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    context::at,
    registry::{self, MetaTypeId, Registry},
    scalar::id::uuid_of,
};

/// How many ids `nodes` takes.
const MAX_NODES: usize = 100;

/// A type whose things can be found by their ids.
#[derive(Clone, Copy)]
pub struct NodeType {
    /// The GraphQL type.
    pub name: &'static str,
    /// What its ids start with.
    pub prefix: &'static str,
    /// Answers the one with this id as the field that is being resolved asks; null if there is none.
    pub resolve: for<'c> fn(&'c Context<'c>, Uuid) -> BoxFuture<'c, ServerResult<Value>>,
}

impl From<&'static AnyEntity> for NodeType {
    fn from(entity: &'static AnyEntity) -> Self {
        // By way of the loaders, so that many ids of one type are one statement.
        Self { name: entity.name, prefix: entity.prefix, resolve: entity.resolvers.one }
    }
}

/// The types that a service finds by their ids.
pub trait NodeTypes: Send + Sync + 'static {
    /// All of them.
    fn all() -> Vec<NodeType>;
}

/// `node(id:)` and `nodes(ids:)`, to be merged into a service's queries.
pub struct NodeQueries<T>(PhantomData<fn() -> T>);

impl<T> Default for NodeQueries<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: NodeTypes> OutputType for NodeQueries<T> {
    fn type_name() -> Cow<'static, str> {
        "NodeQueries".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let id = <ID as OutputType>::create_type_info(registry);
            let names: Vec<&str> = T::all().iter().map(|node| node.name).collect();
            registry::define(registry, "Node", |registry| {
                let field = registry::output("id", &id, "The id, unique among all types.", vec![]);
                registry::interface(registry, "Node", "Anything with an id.", [field], &names)
            });
            let about_ids = format!("At most {MAX_NODES} ids, of any types.");
            let one = vec![registry::input("id", "ID!", "The id of anything.")];
            let many = vec![registry::input("ids", "[ID!]!", &about_ids)];
            let about_several = "The records with these IDs, in the same order; null for each that does not exist. \
                                 A malformed ID is an error.";
            let several = registry::output("nodes", "[Node]", about_several, many);
            let several = registry::rows(registry, &registry::IDS, several);
            let fields = [
                registry::output(
                    "node",
                    "Node",
                    "Anything by its id; null if the organisation has nothing with it.",
                    one,
                ),
                registry::never_null(registry, several),
            ];
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: NodeTypes> ContainerType for NodeQueries<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match ctx.item.node.name.node.as_str() {
            "node" => {
                let (_, id) = ctx.param_value::<ID>("id", None).map_err(|error| ctx.set_error_path(error))?;
                node(ctx, &T::all(), "id", &id).await.map(Some)
            }
            "nodes" => {
                let ids = ctx.param_value::<Vec<ID>>("ids", None);
                let (_, ids) = ids.map_err(|error| ctx.set_error_path(error))?;
                if ids.len() > MAX_NODES {
                    let message = format!("Ask for at most {MAX_NODES} ids.");
                    return Err(at(ctx, Failure::bad_request("ids", message)));
                }
                let types = T::all();
                // `join_all`: dropping one future could cancel a loader batch that the others wait for.
                let nodes = join_all(ids.iter().map(|id| node(ctx, &types, "ids", id))).await;
                nodes.into_iter().collect::<ServerResult<_>>().map(|nodes| Some(Value::List(nodes)))
            }
            _ => Ok(None),
        }
    }
}

async fn node(ctx: &Context<'_>, types: &[NodeType], argument: &str, id: &ID) -> ServerResult<Value> {
    let wrong = |message| at(ctx, Failure::bad_request(argument, message));
    let (prefix, uuid) = uuid_of(id).map_err(wrong)?;
    match types.iter().find(|node| node.prefix == prefix) {
        Some(node) => (node.resolve)(ctx, uuid).await,
        None => Err(wrong(format!("No type has ids that start with {prefix:?}."))),
    }
}

impl<T: NodeTypes> ObjectType for NodeQueries<T> {}
