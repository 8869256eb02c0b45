use std::collections::HashMap;

use apollo_compiler::{Schema, ast::Type, schema::ExtendedType, validation::Valid};

/// What JSON a custom scalar may be written as. What the text says is checked where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// Text or a number.
    TextOrNumber,
    /// Anything.
    Any,
}

/// What the SDL does not say.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The shape of each custom scalar.
    pub scalars: &'static [(&'static str, Shape)],
    /// The longest page of a list; one that asks for more costs no more, because it is refused.
    pub longest_page: usize,
    /// The alias under which [`Operation::prepare`](crate::Operation::prepare) asks an object for
    /// its type where nothing else may be left to ask. Clients cannot use it.
    pub mark: &'static str,
}

/// The schema that requests are validated against, read from its SDL.
pub struct Model {
    pub(crate) schema: Valid<Schema>,
    pub(crate) settings: Settings,
    shapes: HashMap<&'static str, Shape>,
    /// The object types of each interface.
    objects: HashMap<String, Vec<String>>,
    pub(crate) sizes: SchemaSizes,
}

/// How long the lists of the schema are, on an average and at most.
#[derive(Debug, Default)]
pub(crate) struct SchemaSizes {
    types: usize,
    directives: usize,
    fields: Size,
    args: Size,
    input_fields: Size,
    enum_values: Size,
    possible_types: Size,
}

/// The length of a list that many types or fields have.
#[derive(Debug, Default)]
struct Size {
    lists: usize,
    items: usize,
    most: usize,
}

impl Size {
    fn add(&mut self, items: usize) {
        self.lists += usize::from(items > 0);
        self.items += items;
        self.most = self.most.max(items);
    }
}

impl SchemaSizes {
    fn of(schema: &Schema) -> Self {
        let mut sizes = Self {
            types: schema.types.len(),
            directives: schema.directive_definitions.len(),
            ..Self::default()
        };
        for ty in schema.types.values() {
            match ty {
                ExtendedType::Object(object) => {
                    sizes.fields.add(object.fields.len());
                    object.fields.values().for_each(|field| sizes.args.add(field.arguments.len()));
                }
                ExtendedType::Interface(interface) => sizes.fields.add(interface.fields.len()),
                ExtendedType::InputObject(input) => sizes.input_fields.add(input.fields.len()),
                ExtendedType::Enum(values) => sizes.enum_values.add(values.values.len()),
                ExtendedType::Union(_) | ExtendedType::Scalar(_) => {}
            }
        }
        schema.implementers_map().values().for_each(|all| sizes.possible_types.add(all.objects.len()));
        sizes
    }

    /// How many items a field of the introspection answers: on an average, or at most for a `__type`
    /// that the client chooses.
    pub(crate) fn items(&self, field: &str, chosen: bool) -> usize {
        let size = match field {
            "types" => return self.types,
            "directives" => return self.directives,
            "fields" => &self.fields,
            "args" => &self.args,
            "inputFields" => &self.input_fields,
            "enumValues" => &self.enum_values,
            "possibleTypes" => &self.possible_types,
            _ => return 1,
        };
        if chosen { size.most } else { size.items.div_ceil(size.lists.max(1)) }
    }
}

impl Model {
    /// Reads the schema.
    ///
    /// # Errors
    /// What is wrong with the SDL, or which custom scalar has no shape in the settings.
    pub fn new(sdl: &str, settings: Settings) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql").map_err(|error| error.to_string())?;
        let shapes: HashMap<_, _> = settings.scalars.iter().copied().collect();
        let shapeless = schema.types.iter().find_map(|(name, ty)| match ty {
            ExtendedType::Scalar(scalar) if !scalar.is_built_in() && !shapes.contains_key(name.as_str()) => {
                Some(name.clone())
            }
            _ => None,
        });
        match shapeless {
            Some(name) => Err(format!("the scalar {name} has no shape in the settings")),
            None => {
                let (objects, sizes) = (objects(&schema), SchemaSizes::of(&schema));
                Ok(Self { schema, settings, shapes, objects, sizes })
            }
        }
    }

    /// The type that a list, or a list of lists, is made of.
    pub(crate) fn named(&self, ty: &Type) -> Option<&ExtendedType> {
        self.schema.types.get(ty.inner_named_type())
    }

    /// Whether this is the name of an object type.
    pub(crate) fn is_object(&self, ty: &str) -> bool {
        matches!(self.schema.types.get(ty), Some(ExtendedType::Object(_)))
    }

    /// The object types that a type may be: itself, or those of an interface.
    pub(crate) fn objects<'m>(&'m self, ty: &'m str) -> Vec<&'m str> {
        match self.objects.get(ty) {
            Some(objects) => objects.iter().map(String::as_str).collect(),
            None => vec![ty],
        }
    }

    /// Whether a fragment on a type applies to every object of another.
    pub(crate) fn applies(&self, on: &str, ty: &str) -> bool {
        on == ty || self.schema.is_subtype(on, ty)
    }

    pub(crate) fn shape(&self, scalar: &str) -> Shape {
        self.shapes.get(scalar).copied().unwrap_or(Shape::Any)
    }
}

fn objects(schema: &Schema) -> HashMap<String, Vec<String>> {
    let implementers = schema.implementers_map().into_iter();
    let names = implementers.map(|(interface, implementers)| {
        (interface.to_string(), implementers.objects.iter().map(ToString::to_string).collect())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_without_a_shape_is_named() {
        let settings = Settings { scalars: &[], longest_page: 200, mark: "_mark" };
        let error = Model::new("type Query { a: Money } scalar Money", settings).err();
        assert_eq!(error.as_deref(), Some("the scalar Money has no shape in the settings"));
    }
}
