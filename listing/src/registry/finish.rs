//! What is said of the schema as a whole, once all of its types are known: interfaces, and which
//! mutations always answer.

use std::borrow::Cow;

use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field};

use super::{MetaType, Output, Registry, directives, interface, output};

/// Registered with the schema as its last type: it is none, but sees all others.
pub struct Finish;

impl OutputType for Finish {
    fn type_name() -> Cow<'static, str> {
        "Finish".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        SHARED.iter().for_each(|shared| shared.define(registry));
        mark_mutations(registry);
        specify_scalars(registry);
        Self::type_name().into_owned()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

/// Fields that many types share, so that clients can write one fragment for all of them.
struct Shared {
    name: &'static str,
    about: &'static str,
    /// Name, type and description of each.
    fields: &'static [(&'static str, &'static str, &'static str)],
    /// Whether records share them, which have an ID, or payloads, which have none.
    of_records: bool,
    /// An interface that this one implements.
    parent: Option<&'static str>,
}

const NODE: &str = "Node";

const SHARED: &[Shared] = &[
    Shared {
        name: "Entity",
        about: "A record that can be changed. It counts its revisions.",
        fields: &[
            ("id", "ID!", "The ID, unique among all types."),
            ("createdAt", "DateTime!", "When the record was created."),
            ("updatedAt", "DateTime!", "When the record was last changed."),
            ("revision", "Int!", "Counts the changes. Send it as `expectedRevision` with the next change."),
        ],
        of_records: true,
        parent: Some(NODE),
    },
    Shared {
        name: "Deletable",
        about: "A record that can be deleted and restored.",
        fields: &[("deletedAt", "DateTime", "When the record was deleted; null if it is not deleted.")],
        of_records: true,
        parent: None,
    },
    Shared {
        name: "Authored",
        about: "A record that knows who created it.",
        fields: &[
            ("createdBy", "User", "The user who created the record; null if no user did."),
            ("createdById", "ID", "The ID of the user who created the record; null if `createdBy` is null."),
        ],
        of_records: true,
        parent: None,
    },
    Shared {
        name: "Payload",
        about: "The result of a mutation.",
        fields: &[("userErrors", "[UserError!]!", "Errors that the user can fix; empty on success.")],
        of_records: false,
        parent: None,
    },
];

impl Shared {
    fn fields(&self) -> impl Iterator<Item = Output> {
        self.fields.iter().map(|(name, ty, about)| output(name, ty, about, vec![]))
    }

    /// Every object that has all of its fields implements it.
    fn define(&self, registry: &mut Registry) {
        let fits = |ty: &&MetaType| {
            let MetaType::Object { name, fields, .. } = ty else { return false };
            let has = |(name, ty, _): &(&str, &str, &str)| fields.get(*name).is_some_and(|own| own.ty == *ty);
            let is_record = registry.implements.get(name).is_some_and(|all| all.contains(NODE));
            is_record == self.of_records && self.fields.iter().all(has)
        };
        let names: Vec<String> =
            registry.types.values().filter(fits).map(|ty| ty.name().to_owned()).collect();
        if names.is_empty() {
            return;
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let described = interface(registry, self.name, self.about, self.fields(), &names);
        registry.types.insert(self.name.to_owned(), described);
        if let Some(parent) = self.parent {
            registry.add_implements(self.name, parent);
        }
    }
}

/// Where each scalar is specified.
const SPECIFIED: &[(&str, &str)] = &[
    ("Date", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
    ("DateTime", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
    ("Decimal", "https://www.w3.org/TR/xmlschema-2/#decimal"),
    ("JSON", "https://www.rfc-editor.org/rfc/rfc8259"),
    ("Long", "https://www.rfc-editor.org/rfc/rfc7493#section-2.2"),
    ("TimeZone", "https://www.iana.org/time-zones"),
];

fn specify_scalars(registry: &mut Registry) {
    for (scalar, url) in SPECIFIED {
        if let Some(MetaType::Scalar { specified_by_url, .. }) = registry.types.get_mut(*scalar) {
            *specified_by_url = Some((*url).to_owned());
        }
    }
}

/// A mutation is null only where it failed: what a user can mend is in its payload.
fn mark_mutations(registry: &mut Registry) {
    let Some(name) = registry.mutation_type.clone() else { return };
    let Some(MetaType::Object { fields, .. }) = registry.types.get(&name) else { return };
    let fields: Vec<Output> = fields.values().cloned().collect();
    let marked: Vec<Output> =
        fields.into_iter().map(|field| directives::never_null(registry, field)).collect();
    if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(&name) {
        *fields = marked.into_iter().map(|field| (field.name.clone(), field)).collect();
    }
}
