//! The queries and the mutations of a schema, put together from the objects of all domains.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    marker::PhantomData,
};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};
use futures_util::{FutureExt, future::BoxFuture};

use crate::registry::{self, MetaType, MetaTypeId, Output, Registry};

/// Objects whose fields become those of a root object.
#[derive(Default)]
pub struct Members {
    objects: Vec<Box<dyn Member>>,
    event_kinds: BTreeSet<String>,
}

impl Members {
    /// These, and another object.
    #[must_use]
    pub fn with(mut self, object: impl ObjectType + 'static) -> Self {
        self.objects.push(Box::new(object));
        self
    }

    /// These, which also publish events of such a kind: `contact.created`.
    #[must_use]
    pub fn publishing(mut self, entity: &str, verb: &str) -> Self {
        self.event_kinds.insert(format!("{entity}.{verb}"));
        self
    }

    /// These, and those of another domain.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.objects.extend(others.objects);
        self.event_kinds.extend(others.event_kinds);
        self
    }

    /// The kinds of events that they publish.
    pub fn event_kinds(self) -> BTreeSet<String> {
        self.event_kinds
    }
}

/// An object without its type.
trait Member: Send + Sync {
    fn fields(&self, registry: &mut Registry) -> Vec<Output>;
    fn resolve<'c>(&'c self, ctx: &'c Context<'c>) -> BoxFuture<'c, ServerResult<Option<Value>>>;
}

impl<T: ObjectType> Member for T {
    fn fields(&self, registry: &mut Registry) -> Vec<Output> {
        match registry.create_fake_output_type::<T>() {
            MetaType::Object { fields, .. } => fields.into_values().collect(),
            _ => vec![],
        }
    }

    // Boxed, so that the futures of all members are not one type.
    fn resolve<'c>(&'c self, ctx: &'c Context<'c>) -> BoxFuture<'c, ServerResult<Option<Value>>> {
        self.resolve_field(ctx).boxed()
    }
}

/// What a root object is called, and made of.
pub trait RootType: Send + Sync + 'static {
    /// The type: `Query`.
    const NAME: &'static str;
    /// Its description.
    const ABOUT: &'static str;
    /// The objects that it is made of.
    fn members() -> Members;
}

/// A root object. Each field is resolved by the one member that has it, found by name.
pub struct Merged<T> {
    members: Members,
    by_field: HashMap<String, usize>,
    root: PhantomData<fn() -> T>,
}

impl<T: RootType> Default for Merged<T> {
    fn default() -> Self {
        let members = T::members();
        // Only the names are wanted here: the schema's registry is filled by `create_type_info`.
        let mut registry = Registry::default();
        let of_member = |(number, member): (usize, &dyn Member)| {
            member
                .fields(&mut registry)
                .into_iter()
                .map(move |field| (field.name, number))
                .collect::<Vec<_>>()
        };
        let by_field = members.objects.iter().map(Box::as_ref).enumerate().flat_map(of_member).collect();
        Self { members, by_field, root: PhantomData }
    }
}

impl<T: RootType> OutputType for Merged<T> {
    fn type_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let members = T::members();
            let fields: Vec<Output> =
                members.objects.iter().flat_map(|member| member.fields(registry)).collect();
            registry::object::<Self>(T::ABOUT, fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: RootType> ContainerType for Merged<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let member = self.by_field.get(ctx.item.node.name.node.as_str());
        match member.and_then(|number| self.members.objects.get(*number)) {
            Some(member) => member.resolve(ctx).await,
            None => Ok(None),
        }
    }
}

impl<T: RootType> ObjectType for Merged<T> {}
