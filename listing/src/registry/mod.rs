//! The only use of async-graphql's registry, which is hidden from its documentation: that is why
//! its version is pinned. Types that are generic over an entity describe themselves through here.

pub(crate) mod directives;
pub(crate) mod finish;

pub(crate) use async_graphql::registry::{
    MetaField as Output, MetaInputValue as Input, MetaType, MetaTypeId, Registry,
};
use async_graphql::{
    OutputType,
    registry::{Deprecation, MetaEnumValue},
};

pub(crate) use self::directives::{BULK, GROUPS, HITS, IDS, PAGE, longest, never_null, rows};

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

/// An argument or a field that has this value, in the language's own spelling, where none is given.
/// The library only prints it: whoever reads the argument puts it in, from the same constant.
pub(crate) fn defaulted(input: Input, value: impl std::fmt::Display) -> Input {
    Input { default_value: Some(value.to_string()), ..input }
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

/// An input object of which exactly one field is given.
pub(crate) fn one_of(mut input: MetaType) -> MetaType {
    if let MetaType::InputObject { oneof, .. } = &mut input {
        *oneof = true;
    }
    input
}

/// An enum type that stands for no type of ours, of these names and what they are for.
pub(crate) fn enumeration(
    name: &str,
    about: &str,
    values: impl IntoIterator<Item = (String, String)>,
) -> MetaType {
    let value = |(name, about): (String, String)| MetaEnumValue {
        name,
        description: Some(about),
        deprecation: Deprecation::NoDeprecated,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        directive_invocations: Vec::new(),
    };
    MetaType::Enum {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        enum_values: values.into_iter().map(value).map(|value| (value.name.clone(), value)).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
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
pub(crate) fn about(registry: &Registry, entity: &str, field: &str) -> String {
    let field = registry.types.get(entity).and_then(|entity| entity.field_by_name(field));
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
