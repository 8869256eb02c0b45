//! The only use of async-graphql's registry, which is hidden from its documentation: that is why
//! its version is pinned. Types that are generic over an entity describe themselves through here.

pub(crate) use async_graphql::registry::{MetaField as Output, MetaInputValue as Input, MetaTypeId, Registry};
use async_graphql::{
    InputType, OutputType,
    registry::{Deprecation, MetaType},
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

/// An object type.
pub(crate) fn object<T: OutputType>(about: &str, fields: impl IntoIterator<Item = Output>) -> MetaType {
    MetaType::Object {
        name: T::type_name().into_owned(),
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
        rust_typename: Some(std::any::type_name::<T>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// An input object type.
pub(crate) fn input_object<T: InputType>(about: &str, fields: impl IntoIterator<Item = Input>) -> MetaType {
    MetaType::InputObject {
        name: T::type_name().into_owned(),
        description: Some(about.to_owned()),
        input_fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: Some(std::any::type_name::<T>()),
        oneof: false,
        directive_invocations: Vec::new(),
    }
}

/// `T` or null, as a qualified type.
pub(crate) fn nullable<T: OutputType>(registry: &mut Registry) -> String {
    T::create_type_info(registry);
    T::type_name().into_owned()
}
