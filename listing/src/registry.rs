//! The only use of async-graphql's registry, which is hidden from its documentation: that is why
//! its version is pinned. Types that are generic over an entity describe themselves through here.

pub(crate) use async_graphql::registry::{
    MetaField as Output, MetaInputValue as Input, MetaType, MetaTypeId, Registry,
};
use async_graphql::{
    OutputType, TypeDirective,
    registry::{Deprecation, MetaEnumValue},
};

use crate::limits::{DEFAULT_HITS, DEFAULT_PAGE, MAX_PAGE};

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

/// How many rows a field may answer: the directive of the GraphQL cost specification (IBM, 2021).
/// The gateway bounds the cost of a request by it.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
fn list_size(
    #[graphql(desc = "How many rows are counted if no argument says how many.")] assumed_size: Option<i32>,
    #[graphql(
        desc = "The arguments that say how many rows are answered at most: a number, or a list with an item for each row."
    )]
    slicing_arguments: Option<Vec<String>>,
    #[graphql(desc = "The fields of the answer that are lists of the rows; none if it is itself the list.")]
    sized_fields: Option<Vec<String>>,
    #[graphql(desc = "Whether one of the slicing arguments must be given.", default = true)]
    require_one_slicing_argument: bool,
) {
}

/// How the number of rows of a field is found.
pub(crate) struct Rows {
    assumed: usize,
    arguments: &'static [&'static str],
    fields: &'static [&'static str],
}

/// The rows of a connection's page.
pub(crate) const PAGE: Rows =
    Rows { assumed: DEFAULT_PAGE, arguments: &["first", "last"], fields: &["nodes", "edges"] };
/// What a bulk made: no argument says how many, so it counts as a full page.
pub(crate) const BULK: Rows = Rows { assumed: MAX_PAGE, arguments: &[], fields: &[] };
/// Groups of an aggregate.
pub(crate) const GROUPS: Rows = Rows { assumed: MAX_PAGE, arguments: &["first"], fields: &[] };
/// Hits of a search in several lists.
pub(crate) const HITS: Rows = Rows { assumed: DEFAULT_HITS, arguments: &["first"], fields: &[] };
/// A row for each id.
pub(crate) const IDS: Rows = Rows { assumed: 1, arguments: &["ids"], fields: &[] };

/// A field that answers several rows.
pub(crate) fn rows(registry: &mut Registry, rows: &Rows, field: Output) -> Output {
    TypeDirective::register(&list_size, registry);
    let names = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        (!names.is_empty()).then_some(names)
    };
    let assumed = i32::try_from(rows.assumed).ok();
    let directive = list_size::apply(assumed, names(rows.arguments), names(rows.fields), false);
    Output { directive_invocations: vec![directive], ..field }
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
