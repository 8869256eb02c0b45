//! The only use of async-graphql's registry, which is hidden from its documentation: that is why
//! its version is pinned. Types that are generic over an entity describe themselves through here.

pub(crate) use async_graphql::registry::{
    MetaField as Output, MetaInputValue as Input, MetaType, MetaTypeId, Registry,
};
use async_graphql::{
    InputType, OutputType, Positioned, ServerResult, VisitorContext,
    parser::types::{Field, VariableDefinition},
    registry::Deprecation,
};

use crate::{
    Identified,
    read::page::{DEFAULT_PAGE, MAX_PAGE},
};

/// An argument, or a field of an input object. `qualified` is the type as `create_type_info`
/// answers it.
pub(crate) fn input(name: &str, qualified: &str, about: &str) -> Input {
    Input {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        ty: qualified.to_owned(),
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// A field of an object.
pub(crate) fn output(name: &str, qualified: &str, about: &str, arguments: Vec<Input>) -> Output {
    Output {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        args: arguments.into_iter().map(|argument| (argument.name.clone(), argument)).collect(),
        ty: qualified.to_owned(),
        deprecation: Deprecation::NoDeprecated,
        cache_control: Default::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// A field that answers a list in pages: it counts as often as its page has rows, so that lists in
/// lists are bounded before they are read.
pub(crate) fn list(name: &str, qualified: &str, about: &str, arguments: Vec<Input>) -> Output {
    fn cost(
        ctx: &VisitorContext<'_>,
        variables: &[Positioned<VariableDefinition>],
        field: &Field,
        row: usize,
    ) -> ServerResult<usize> {
        let asked = |name| ctx.param_value::<Option<i32>>(variables, field, name, Some(|| None));
        let rows = asked("first")?.or(asked("last")?).and_then(|rows| usize::try_from(rows).ok());
        // A list of no rows is still read.
        Ok(rows.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE).saturating_mul(row).saturating_add(1))
    }
    Output { compute_complexity: Some(cost), ..output(name, qualified, about, arguments) }
}

/// A field that answers what a bulk made: no argument says how many, so it counts as a full page.
pub(crate) fn bulk(name: &str, qualified: &str, about: &str) -> Output {
    fn cost(
        _: &VisitorContext<'_>,
        _: &[Positioned<VariableDefinition>],
        _: &Field,
        row: usize,
    ) -> ServerResult<usize> {
        Ok(MAX_PAGE.saturating_mul(row).saturating_add(1))
    }
    Output { compute_complexity: Some(cost), ..output(name, qualified, about, vec![]) }
}

/// A field that answers groups: it counts as often as there may be some.
pub(crate) fn groups(name: &str, qualified: &str, about: &str, arguments: Vec<Input>) -> Output {
    fn cost(
        ctx: &VisitorContext<'_>,
        variables: &[Positioned<VariableDefinition>],
        field: &Field,
        group: usize,
    ) -> ServerResult<usize> {
        let first = ctx.param_value::<Option<i32>>(variables, field, "first", Some(|| None))?;
        let groups = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(MAX_PAGE);
        Ok(groups.min(MAX_PAGE).saturating_mul(group).saturating_add(1))
    }
    Output { compute_complexity: Some(cost), ..output(name, qualified, about, arguments) }
}

/// A field that answers as many things as its argument has ids.
pub(crate) fn many(name: &str, qualified: &str, about: &str, arguments: Vec<Input>) -> Output {
    fn cost(
        ctx: &VisitorContext<'_>,
        variables: &[Positioned<VariableDefinition>],
        field: &Field,
        one: usize,
    ) -> ServerResult<usize> {
        let ids = ctx.param_value::<Vec<async_graphql::ID>>(variables, field, "ids", Some(Vec::new))?;
        Ok(ids.len().max(1).saturating_mul(one))
    }
    Output { compute_complexity: Some(cost), ..output(name, qualified, about, arguments) }
}

/// An object type.
pub(crate) fn object<T: OutputType>(about: &str, fields: impl IntoIterator<Item = Output>) -> MetaType {
    let mut object = object_named(&T::type_name(), about, fields);
    if let MetaType::Object { rust_typename, .. } = &mut object {
        *rust_typename = Some(std::any::type_name::<T>());
    }
    object
}

/// An object type that stands for no type of ours.
pub(crate) fn object_named(name: &str, about: &str, fields: impl IntoIterator<Item = Output>) -> MetaType {
    MetaType::Object {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(),
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// An input object type.
pub(crate) fn input_object<T: InputType>(about: &str, fields: impl IntoIterator<Item = Input>) -> MetaType {
    let mut object = input_object_named(&T::type_name(), about, fields);
    if let MetaType::InputObject { rust_typename, .. } = &mut object {
        *rust_typename = Some(std::any::type_name::<T>());
    }
    object
}

/// An input object type that stands for no type of ours.
pub(crate) fn input_object_named(
    name: &str,
    about: &str,
    fields: impl IntoIterator<Item = Input>,
) -> MetaType {
    MetaType::InputObject {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        input_fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        oneof: false,
        directive_invocations: Vec::new(),
    }
}

/// `T` or null, as a qualified type.
pub(crate) fn nullable<T: OutputType>(registry: &mut Registry) -> String {
    T::create_type_info(registry);
    T::type_name().into_owned()
}

/// Describes a type that stands for no type of ours, unless it is described already; answers its
/// name.
pub(crate) fn define(
    registry: &mut Registry,
    name: &str,
    describe: impl FnOnce(&mut Registry) -> MetaType,
) -> String {
    if !registry.types.contains_key(name) {
        let described = describe(registry);
        registry.types.insert(name.to_owned(), described);
    }
    name.to_owned()
}

/// What an entity's field is for, as the entity itself says: so that filters, orders and inputs say
/// the same. The entity is described before them.
pub(crate) fn about<E: Identified>(registry: &Registry, field: &str) -> String {
    let field = registry.types.get(E::NAME).and_then(|entity| entity.field_by_name(field));
    field.and_then(|field| field.description.clone()).unwrap_or_default()
}

/// An interface of these object types, which become known as its implementations.
pub(crate) fn interface(
    registry: &mut Registry,
    name: &str,
    about: &str,
    fields: impl IntoIterator<Item = Output>,
    implementations: &[&str],
) -> MetaType {
    for implementation in implementations {
        registry.add_implements(implementation, name);
    }
    MetaType::Interface {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(),
        possible_types: implementations.iter().map(|name| (*name).to_owned()).collect(),
        extends: false,
        inaccessible: false,
        tags: Vec::new(),
        keys: None,
        visible: None,
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}
