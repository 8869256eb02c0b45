//! Requests made from the schema itself, so that tests of every root field grow with it.
//!
//! Arguments are filled by their types. What a type does not tell stands in the tables below:
//! where they have no answer, the test fails with a sentence that says which line to add.

use std::{collections::HashMap, fmt::Write, sync::OnceLock};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Map, Value, json};

use super::{
    PASSWORD,
    rows::{OTHERS, Row, Rows},
    unique_email,
};

/// Which of the [`Rows`] an id is meant to be, where its name does not say so; with the relation it
/// stands under, if that says it.
const MEANINGS: &[(&str, &str)] = &[
    ("companyId", "company"),
    ("company.id", "company"),
    ("createdById", "User"),
    ("endpointId", "WebhookEndpoint"),
];

/// Values that the type alone does not tell; they are given even where they may be left out.
const VALUES: &[(&str, &str)] = &[
    // Only a person may belong to a company.
    ("createContact.input.contact.kind", "PERSON"),
    ("createContacts.input.contacts.kind", "PERSON"),
    ("createWebhookEndpoint.input.webhookEndpoint.eventKinds", "*"),
];

/// How deep answers are asked for: a payload, its entity, and what that points at.
const DEPTH: usize = 3;

/// How many filters stand in one another where ids are looked for: more of them lead the same way,
/// and would multiply with every entity.
const FILTERS: usize = 2;

/// A field of `Query` or `Mutation`.
#[derive(Clone, Debug)]
pub(crate) struct RootField {
    /// `query` or `mutation`.
    pub(crate) operation: &'static str,
    pub(crate) name: String,
    definition: FieldDefinition,
}

impl RootField {
    /// Whether it answers page by page.
    pub(crate) fn is_list(&self) -> bool {
        name_of(&self.definition.ty.node).ends_with("Connection")
    }
}

/// A way into the arguments of a root field: `input`, `companyId`.
pub(crate) type Place = Vec<String>;

/// Where an id stands in the arguments of a root field.
#[derive(Clone, Debug)]
pub(crate) struct IdPlace {
    pub(crate) path: Place,
    /// Whether it only says which rows are meant.
    pub(crate) in_filter: bool,
    /// Whether it cannot be left out.
    required: bool,
    /// The field whose id it is, and before it the relation it belongs to: `company`, `id`.
    named: Place,
    /// The input type that has this field.
    of: String,
    /// The filters around it, outermost first.
    pub(crate) filters: Vec<String>,
}

/// The way to a place that takes ids.
#[derive(Clone, Default)]
struct Way {
    path: Place,
    named: Place,
    /// The input types around it, outermost first.
    around: Vec<String>,
    optional: bool,
}

/// What a request is filled with.
#[derive(Clone, Copy)]
pub(crate) struct Filling<'a> {
    /// Where ids come from.
    pub(crate) rows: &'a Rows,
    /// The one id that comes from elsewhere, and optional arguments on the way to it.
    pub(crate) other: Option<(&'a Place, &'a Row)>,
    /// Whose e-mail, refresh token and mailed `tokens` are used; `Value::Null` for made-up ones.
    pub(crate) log_in: &'a Value,
}

/// A request to send with [`Client::run`].
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) query: String,
    pub(crate) variables: Value,
}

/// The schema, as it is served.
pub(crate) struct Schema {
    types: HashMap<String, TypeKind>,
}

impl Schema {
    /// That of the service.
    pub(crate) fn served() -> &'static Self {
        static SERVED: OnceLock<Schema> = OnceLock::new();
        SERVED.get_or_init(|| Self::parse(&gateway::sdl()))
    }

    pub(crate) fn parse(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).unwrap().definitions.into_iter();
        let types = definitions.filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node.kind)),
            _ => None,
        });
        Self { types: types.collect() }
    }

    /// Every field of `Query`, then every field of `Mutation`.
    pub(crate) fn root_fields(&self) -> Vec<RootField> {
        let of = |operation: &'static str, name: &str| {
            let fields = self.fields(name).into_iter().cloned();
            fields.map(move |definition| RootField {
                operation,
                name: definition.name.node.to_string(),
                definition,
            })
        };
        of("query", "Query").chain(of("mutation", "Mutation")).collect()
    }

    /// One root field by its name.
    pub(crate) fn root_field(&self, name: &str) -> RootField {
        self.root_fields().into_iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The object types that implement `Node`.
    pub(crate) fn node_types(&self) -> Vec<&str> {
        let is_node = |kind: &TypeKind| match kind {
            TypeKind::Object(object) => object.implements.iter().any(|interface| interface.node == "Node"),
            _ => false,
        };
        let mut names: Vec<_> =
            self.types.iter().filter(|(_, kind)| is_node(kind)).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The fields of an object type that answer objects, without those that need arguments.
    pub(crate) fn object_fields(&self, ty: &str) -> Vec<String> {
        let objects = self
            .fields(ty)
            .into_iter()
            .filter(|field| self.is_object(name_of(&field.ty.node)) && is_free(field));
        objects.map(|field| field.name.node.to_string()).collect()
    }

    /// The fields of an object type that answer no objects, without those that need arguments.
    pub(crate) fn plain_fields(&self, ty: &str) -> Vec<&str> {
        let fields = self.fields(ty).into_iter();
        let plain = fields.filter(|field| !self.is_object(name_of(&field.ty.node)) && is_free(field));
        plain.map(|field| field.node_name()).collect()
    }

    /// Whether an object type has this field.
    pub(crate) fn has_field(&self, ty: &str, field: &str) -> bool {
        self.fields(ty).iter().any(|known| known.node_name() == field)
    }

    /// A field of an entity that is never null and that is grouped by as it is.
    pub(crate) fn groupable_field(&self, entity: &str) -> &str {
        let flags = self.inputs(&format!("{entity}GroupBy")).into_iter();
        let mut flags = flags.filter(|flag| name_of(&flag.ty.node) == "Boolean");
        let fields = self.fields(entity);
        let is_given = |flag: &&InputValueDefinition| {
            fields.iter().any(|field| field.node_name() == flag.name.node && !field.ty.node.nullable)
        };
        flags.find(is_given).unwrap_or_else(|| panic!("nothing groups {entity}")).name.node.as_str()
    }

    /// All names of rows: the types that are a `Node`, and some more.
    pub(crate) fn row_names(&self) -> Vec<&str> {
        self.node_types().into_iter().chain(OTHERS.iter().copied()).collect()
    }

    /// The mutation that makes a row of this name.
    pub(crate) fn creation(&self, name: &str) -> RootField {
        let wanted = format!("create{name}");
        let found = self.root_fields().into_iter().find(|field| field.name == wanted);
        found.unwrap_or_else(|| {
            panic!("nothing makes a {name}: say how in Rows::make in tests/service/harness/rows.rs")
        })
    }

    /// The names of the rows that a request of this field speaks of, with an id at this place.
    pub(crate) fn needs(&self, root: &RootField, place: Option<&IdPlace>) -> Vec<&str> {
        let given = |other: &IdPlace| other.required || place.is_some_and(|place| place.path == other.path);
        let places = self.id_places(root).into_iter().filter(given);
        places.flat_map(|place| self.meanings(root, &place)).collect()
    }

    /// Every place in the arguments of a field that takes an id.
    pub(crate) fn id_places(&self, root: &RootField) -> Vec<IdPlace> {
        let mut places = vec![];
        for argument in &root.definition.arguments {
            let way = Way { path: vec![root.name.clone()], ..Way::default() };
            self.add_id_places(&argument.node, &way, &mut places);
        }
        for place in &mut places {
            place.path.remove(0);
        }
        places
    }

    fn add_id_places(&self, input: &InputValueDefinition, above: &Way, places: &mut Vec<IdPlace>) {
        let (name, ty) = (input.name.node.to_string(), name_of(&input.ty.node));
        let mut way = above.clone();
        way.path.push(name.clone());
        way.optional |= is_optional(input, &way.path);
        let of = above.around.last().map(String::as_str).unwrap_or_default();
        // The operators of an id are all about the field that has them.
        if of != "IDFilter" {
            way.named.push(name);
        }
        if ty == "ID" {
            let filters = above.around.iter().filter(|around| self.is_filter(around)).cloned();
            let filters: Vec<String> = filters.collect();
            // Below other filters one operator is as good as all.
            if filters.len() < FILTERS || of != "IDFilter" || way.path.ends_with(&["eq".to_owned()]) {
                let around = above.around.iter().rev().find(|around| *around != "IDFilter");
                let of = around.cloned().unwrap_or_default();
                let (path, named) = (way.path, way.named);
                let (in_filter, required) = (!filters.is_empty(), !way.optional);
                places.push(IdPlace { path, in_filter, required, named, of, filters });
            }
        } else if self.may_enter(ty, &above.around) {
            way.around.push(ty.to_owned());
            for field in self.inputs(ty) {
                self.add_id_places(field, &way, places);
            }
        }
    }

    /// Whether a way may go on into this input type.
    fn may_enter(&self, ty: &str, around: &[String]) -> bool {
        if self.is_filter(ty) {
            return around.iter().filter(|around| self.is_filter(around)).count() < FILTERS;
        }
        !around.iter().any(|around| around == ty)
    }

    /// Whether an input says which rows of an entity are meant.
    fn is_filter(&self, ty: &str) -> bool {
        self.inputs(ty).iter().any(|field| field.name.node == "not" && name_of(&field.ty.node) == ty)
    }

    /// The names of the rows whose ids make sense at a place.
    pub(crate) fn meanings(&self, root: &RootField, place: &IdPlace) -> Vec<&str> {
        let named = |name: &str| self.row_names().into_iter().filter(|row| *row == name).collect::<Vec<_>>();
        let under_relation = place.named[place.named.len().saturating_sub(2)..].join(".");
        let field = place.named.last().unwrap();
        if let Some((_, name)) = MEANINGS.iter().find(|(at, _)| *at == field || *at == under_relation) {
            return named(name);
        }
        let subject = match field.strip_suffix('s').unwrap_or(field) {
            "id" if self.is_filter(&place.of) => place.of.trim_end_matches("Filter").to_owned(),
            "id" => self.subject(root),
            field => {
                field.strip_suffix("Id").map(|stem| stem[..1].to_uppercase() + &stem[1..]).unwrap_or_default()
            }
        };
        if subject == "Node" {
            return self.row_names();
        }
        let found = named(&subject);
        let place = place.path.join(".");
        assert!(
            !found.is_empty(),
            "nobody knows what the id at {}({place}) is of: add it to MEANINGS in \
             tests/service/harness/generate.rs",
            root.name
        );
        found
    }

    /// The entity that a root field is about.
    fn subject(&self, root: &RootField) -> String {
        let answer = name_of(&root.definition.ty.node);
        let nodes = self.node_types();
        if answer == "Node" || nodes.contains(&answer) {
            return answer.to_owned();
        }
        let fields = self.fields(answer).into_iter().map(|field| name_of(&field.ty.node));
        fields.filter(|ty| nodes.contains(ty)).map(str::to_owned).next().unwrap_or_default()
    }

    /// A request of one root field that asks for everything it can answer without arguments.
    pub(crate) fn request(&self, root: &RootField, filling: Filling<'_>) -> Request {
        self.request_to_depth(root, DEPTH, filling)
    }

    /// As [`Schema::request`], so many levels down.
    pub(crate) fn request_to_depth(&self, root: &RootField, depth: usize, filling: Filling<'_>) -> Request {
        let answer = name_of(&root.definition.ty.node);
        if answer != "Node" {
            return self.request_for(root, &self.selection(answer, depth), filling);
        }
        // Of the one type that is asked for: a document with all of them would outgrow the limits.
        let Some(place) = self.id_places(root).into_iter().next() else {
            return self.request_for(root, "{ __typename id }", filling);
        };
        let ty = self.type_of(self.row(&[vec![root.name.clone()], place.path].concat(), filling));
        self.request_for(root, &format!("{{ ... on {ty} {} }}", self.selection(ty, depth)), filling)
    }

    /// One request of a root field for each row that it may be about, as far as its type tells.
    pub(crate) fn requests(&self, root: &RootField, rows: &Rows, log_in: &Value) -> Vec<Request> {
        let places = self.id_places(root);
        let Some(place) = places.first().filter(|_| name_of(&root.definition.ty.node) == "Node") else {
            return vec![self.request(root, Filling { rows, other: None, log_in })];
        };
        let row = |name: &&str| Filling { rows, other: Some((&place.path, rows.row(name))), log_in };
        self.row_names().iter().map(|name| self.request(root, row(name))).collect()
    }

    /// The type of a row, by what its id starts with: `webhook_delivery` is a `WebhookDelivery`.
    fn type_of(&self, row: &Row) -> &str {
        let (prefix, _) = listing::uuid_of(&row.id).unwrap();
        let is_meant = |name: &&str| name.to_lowercase() == prefix.replace('_', "");
        self.node_types().into_iter().find(is_meant).unwrap_or_else(|| panic!("{} is of no type", row.id))
    }

    /// A request of one root field that only asks whether it answers.
    pub(crate) fn smallest_request(&self, root: &RootField, filling: Filling<'_>) -> Request {
        let answer = name_of(&root.definition.ty.node);
        let composite = self.is_object(answer);
        self.request_for(root, if composite { "{ __typename }" } else { "" }, filling)
    }

    /// A request of one root field with the given selection.
    pub(crate) fn request_for(&self, root: &RootField, selection: &str, filling: Filling<'_>) -> Request {
        let (mut declared, mut given, mut variables) = (String::new(), String::new(), Map::new());
        for argument in &root.definition.arguments {
            let name = argument.node.name.node.to_string();
            let place = vec![root.name.clone()];
            if let Some(value) = self.value_of(&argument.node, &place, filling) {
                write!(declared, "${name}: {} ", argument.node.ty.node).unwrap();
                write!(given, "{name}: ${name} ").unwrap();
                variables.insert(name, value);
            }
        }
        let around =
            |inside: &str| if inside.is_empty() { String::new() } else { format!("({})", inside.trim()) };
        let (operation, name) = (root.operation, &root.name);
        let query = format!("{operation} {} {{ {name}{} {selection} }}", around(&declared), around(&given));
        Request { query, variables: Value::Object(variables) }
    }

    /// The value of one argument or input field; nothing for one that may be left out.
    fn value_of(&self, input: &InputValueDefinition, above: &Place, filling: Filling<'_>) -> Option<Value> {
        let mut place = above.clone();
        place.push(input.name.node.to_string());
        // The root field's name stands in front.
        let wanted = filling.other.is_some_and(|(other, _)| other.starts_with(&place[1..]));
        (wanted || !is_optional(input, &place)).then(|| self.value(&input.ty.node, &place, filling))
    }

    fn value(&self, ty: &Type, place: &Place, filling: Filling<'_>) -> Value {
        match &ty.base {
            BaseType::List(inner) => json!([self.value(inner, place, filling)]),
            BaseType::Named(name) => match self.types.get(name.as_str()) {
                Some(TypeKind::InputObject(_)) => self.object(name, place, filling),
                Some(TypeKind::Enum(values)) => match prescribed(place) {
                    Some(value) => value,
                    None => json!(values.values[0].node.value.node.as_str()),
                },
                _ if name == "ID" => json!(self.row(place, filling).id),
                _ => prescribed(place).unwrap_or_else(|| scalar(name, place, filling)),
            },
        }
    }

    fn object(&self, name: &str, place: &Place, filling: Filling<'_>) -> Value {
        let mut object = Map::new();
        for field in self.inputs(name) {
            let field_name = field.name.node.to_string();
            if field_name == "expectedRevision" {
                let id = [&place[..], &["id".to_owned()]].concat();
                object.insert(field_name, json!(self.row(&id, filling).revision));
            } else if let Some(value) = self.value_of(field, place, filling) {
                object.insert(field_name, value);
            }
        }
        Value::Object(object)
    }

    /// The row whose id stands at a place, which starts with the root field's name.
    fn row<'a>(&self, place: &Place, filling: Filling<'a>) -> &'a Row {
        match filling.other {
            Some((other, row)) if other[..] == place[1..] => row,
            _ => {
                let root = self.root_field(&place[0]);
                let known = self.id_places(&root).into_iter().find(|known| known.path[..] == place[1..]);
                filling.rows.row(self.meanings(&root, &known.unwrap())[0])
            }
        }
    }

    /// Everything that a type answers without arguments, so many levels down.
    pub(crate) fn selection(&self, ty: &str, depth: usize) -> String {
        let mut inside = String::new();
        let fields = self.fields(ty);
        let paged = fields.iter().any(|field| field.node_name() == "nodes");
        for field in fields.iter().filter(|field| is_free(field) && !(paged && field.node_name() == "edges"))
        {
            let (name, answer) = (field.node_name(), name_of(&field.ty.node));
            let page = if field.arguments.iter().any(|argument| argument.node.name.node == "first") {
                "(first: 3)"
            } else {
                ""
            };
            if !self.is_object(answer) {
                write!(inside, "{name} ").unwrap();
            } else if depth > 0 {
                let below = self.selection(answer, depth - 1);
                if !below.is_empty() {
                    write!(inside, "{name}{page} {below} ").unwrap();
                }
            }
        }
        if inside.is_empty() { inside } else { format!("{{ {inside}}}") }
    }

    fn is_object(&self, ty: &str) -> bool {
        matches!(self.types.get(ty), Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)))
    }

    fn fields(&self, ty: &str) -> Vec<&FieldDefinition> {
        match self.types.get(ty) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            Some(TypeKind::Interface(interface)) => {
                interface.fields.iter().map(|field| &field.node).collect()
            }
            _ => vec![],
        }
    }

    fn inputs(&self, ty: &str) -> Vec<&InputValueDefinition> {
        match self.types.get(ty) {
            Some(TypeKind::InputObject(object)) => object.fields.iter().map(|field| &field.node).collect(),
            _ => vec![],
        }
    }
}

trait Named {
    fn node_name(&self) -> &str;
}

impl Named for FieldDefinition {
    fn node_name(&self) -> &str {
        self.name.node.as_str()
    }
}

/// A field that can be asked for without arguments, its own and those of the field it stands in: the
/// key of a group has only what an argument groups by.
fn is_free(field: &FieldDefinition) -> bool {
    let may_be_absent =
        |input: &InputValueDefinition| input.ty.node.nullable || input.default_value.is_some();
    field.arguments.iter().all(|argument| may_be_absent(&argument.node))
        && !name_of(&field.ty.node).ends_with("GroupKey")
}

/// The type without its lists and exclamation marks.
fn name_of(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => name_of(inner),
    }
}

/// Whether an argument or input field may be left out; `place` starts with the root field's name.
fn is_optional(input: &InputValueDefinition, place: &Place) -> bool {
    (input.ty.node.nullable || input.default_value.is_some()) && prescribed(place).is_none()
}

fn prescribed(place: &Place) -> Option<Value> {
    let place = place.join(".");
    VALUES.iter().find(|(at, _)| *at == place).map(|(_, value)| json!(value))
}

fn scalar(ty: &str, place: &Place, filling: Filling<'_>) -> Value {
    let (root, field) = (place[0].as_str(), place.last().unwrap().as_str());
    match (ty, field) {
        ("String", "email") if root == "logIn" => match &filling.log_in["user"]["email"] {
            Value::String(email) => json!(email),
            _ => json!(unique_email()),
        },
        ("String", "email") => json!(unique_email()),
        ("String", "password") => json!(PASSWORD),
        ("String", "refreshToken") => json!(filling.log_in["refreshToken"].as_str().unwrap_or("none")),
        ("String", "token") => json!(filling.log_in["tokens"][root].as_str().unwrap_or("none")),
        // What each entity cannot be without; columns that fill nothing are ignored.
        ("String", "csv") => json!("name,url,eventKinds\nGenerated,http://127.0.0.1:9/,*\n"),
        // Nothing listens there.
        ("String", "url") => json!(format!("http://127.0.0.1:9/{}", filling.rows.marker)),
        ("String", _) => json!(filling.rows.marker),
        ("Int", _) => json!(1),
        ("Boolean", _) => json!(false),
        ("DateTime", _) => json!("2030-01-01T00:00:00Z"),
        ("Date", _) => json!("2030-01-01"),
        ("Decimal", _) => json!("1.00"),
        ("TimeZone", _) => json!("Europe/Vienna"),
        ("JSON", _) => json!({}),
        _ => panic!(
            "add the scalar {ty} at {} to scalar() in tests/service/harness/generate.rs",
            place.join(".")
        ),
    }
}
