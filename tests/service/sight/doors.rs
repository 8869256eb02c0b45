//! Every way to ask whether a row is there, made from the schema and from the relations of entities.

use std::fmt::Write;

use listing::ColumnRelation;
use serde_json::{Value, json};

use super::stage::Subject;
use crate::harness::generate::{IdPlace, RootField, Schema};

/// A field of the one request that reads.
pub(super) struct Door {
    pub(super) name: String,
    field: String,
}

/// A mutation with the id of a row in one place.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) root: RootField,
    pub(super) place: IdPlace,
    /// The revision that the client believes in, if it is not the row's.
    pub(super) revision: Option<i64>,
}

/// The doors that say whether a row is seen at all, and whether a deleted one is.
pub(super) const NODE: &str = "node";
pub(super) const DELETED: &str = "list of deleted";
const DELETED_BY_ID: &str = "by id, deleted or not";
const DELETED_FIGURES: &str = "figures of deleted";

/// A revision that no row here has.
const STALE: i64 = 99;

fn door(name: impl Into<String>, field: impl Into<String>) -> Door {
    Door { name: name.into(), field: field.into() }
}

/// All doors that read a row of this subject.
pub(super) fn reads(subject: &Subject) -> Vec<Door> {
    let (schema, entity) = (Schema::served(), subject.entity);
    let (name, one, many) = (entity.name, entity.one, entity.many);
    let all = schema.selection(name, 0);
    let with = |filter: &str, selection: &str| format!("{many}(where: {filter}) {selection}");
    let own = "{ id: { eq: $id } }";
    let mut doors = vec![
        door("by id", format!("{one}(id: $id) {all}")),
        door(NODE, format!("node(id: $id) {{ ... on {name} {all} }}")),
        door("nodes", format!("nodes(ids: [$id]) {{ ... on {name} {all} }}")),
        door(
            "list",
            with(own, &format!("{{ nodes {all} edges {{ node {{ id }} }} pageInfo {{ hasNextPage }} }}")),
        ),
        door("list by ids", with("{ id: { in: [$id] } }", "{ nodes { id } }")),
        door("list by either", with("{ or: [{ id: { eq: $id } }, { id: { in: [] } }] }", "{ nodes { id } }")),
        door("total", with(own, "{ totalCount }")),
        door("total of others", with("{ not: { id: { eq: $id } } }", "{ totalCount }")),
        door("figures", format!("{many}Aggregate(where: {own}) {{ count }}")),
    ];
    if schema.has_field(name, "deletedAt") {
        let only = format!("{many}(where: {own}, deleted: ONLY) {{ nodes {all} totalCount }}");
        doors.push(door(DELETED, only));
        doors.push(door(DELETED_BY_ID, format!("{one}(id: $id, deleted: INCLUDE) {all}")));
        doors
            .push(door(DELETED_FIGURES, format!("{many}Aggregate(where: {own}, deleted: ONLY) {{ count }}")));
    }
    for (number, (source, link, _)) in subject.links.iter().enumerate() {
        let [this, other] = [2 * number, 2 * number + 1].map(|number| format!("$r{number}"));
        let around = Around { one: source.one, many: source.many, of: source.name, link, this, other };
        doors.extend(if link.is_many { around.of_many() } else { around.of_one() });
    }
    doors
}

/// A row at the other end of a relation that leads to the subject.
struct Around<'a> {
    of: &'static str,
    one: &'static str,
    many: &'static str,
    link: &'a ColumnRelation,
    /// Its id, and that of one more which leads nowhere, as variables.
    this: String,
    other: String,
}

impl Around<'_> {
    fn name(&self, what: &str) -> String {
        format!("{}.{} {what}", self.of, self.link.name).trim_end().to_owned()
    }

    fn list(&self, filter: &str, selection: &str) -> String {
        format!("{}(where: {{ id: {{ eq: {} }}, {filter} }}) {selection}", self.many, self.this)
    }

    fn total(&self, what: &str, filter: &str) -> Door {
        door(self.name(what), self.list(filter, "{ totalCount }"))
    }

    fn figures(&self, what: &str, arguments: &str, selection: &str) -> Door {
        let Self { many, this, .. } = self;
        let field = format!("{many}Aggregate(where: {{ id: {{ eq: {this} }} }}, {arguments}) {selection}");
        door(self.name(what), field)
    }

    /// A relation to the row, and the field with its id.
    fn of_one(&self) -> Vec<Door> {
        let (schema, relation) = (Schema::served(), self.link.name);
        let id = format!("{relation}Id");
        let has_id = schema.has_field(self.of, &id);
        let both = if has_id {
            format!("{{ {id} {relation} {{ id }} }}")
        } else {
            format!("{{ {relation} {{ id }} }}")
        };
        let grouped = schema.groupable_field(self.link.target.name);
        let Self { one, many, this, other, .. } = self;
        let mut doors = vec![
            door(self.name("of one"), format!("{one}(id: {this}) {both}")),
            door(self.name("of a list"), self.list("", &format!("{{ nodes {both} }}"))),
            self.total("by id", &format!("{relation}: {{ id: {{ eq: $id }} }}")),
            self.total("not by id", &format!("not: {{ {relation}: {{ id: {{ eq: $id }} }} }}")),
            self.total("is there", &format!("{relation}: {{}}")),
            self.figures(
                "grouped",
                &format!("groupBy: {{ {relation}: {{ {grouped}: true }} }}"),
                &format!("{{ count key {{ {relation} {{ {grouped} }} }} }}"),
            ),
        ];
        for direction in ["ASC", "DESC_NULLS_FIRST"] {
            let ids = format!("where: {{ id: {{ in: [{this}, {other}] }} }}");
            let order = format!("orderBy: [{{ {relation}: {{ {grouped}: {direction} }} }}, {{ id: ASC }}]");
            doors.push(door(
                self.name(&format!("ordered {direction}")),
                format!("{many}({ids}, {order}) {{ edges {{ node {{ id }} }} }}"),
            ));
        }
        if has_id {
            doors.push(self.total("by its own field", &format!("{id}: {{ eq: $id }}")));
            doors.push(self.total("empty", &format!("{id}: {{ isNull: true }}")));
            doors.push(self.figures(
                "grouped by id",
                &format!("groupBy: {{ {id}: true }}"),
                &format!("{{ count key {{ {id} }} }}"),
            ));
        }
        doors
    }

    /// A relation to several, the row perhaps among them.
    fn of_many(&self) -> Vec<Door> {
        let relation = self.link.name;
        let Self { one, many, this, other, .. } = self;
        let page = format!("{{ {relation} {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage }} }} }}");
        let mut doors = vec![
            door(self.name("of one"), format!("{one}(id: {this}) {page}")),
            door(
                self.name("of a list"),
                format!("{many}(where: {{ id: {{ in: [{this}, {other}] }} }}) {{ nodes {page} }}"),
            ),
        ];
        for (what, filter) in [
            ("some", "{ some: {} }"),
            ("some by id", "{ some: { id: { eq: $id } } }"),
            ("none", "{ none: {} }"),
            ("every", "{ every: { not: { id: { eq: $id } } } }"),
            ("count", "{ count: { gt: 0 } }"),
        ] {
            doors.push(self.total(what, &format!("{relation}: {filter}")));
        }
        doors
    }
}

/// One request with all doors, which takes the ids of this many rows around the subject.
pub(super) fn document(doors: &[Door], around: usize) -> String {
    let mut document = "query ($id: ID!".to_owned();
    (0..around).for_each(|number| write!(document, ", $r{number}: ID!").unwrap());
    document += ") {";
    for (number, door) in doors.iter().enumerate() {
        write!(document, " d{number}: {}", door.field).unwrap();
    }
    document + " }"
}

/// What an answer says of one door.
pub(super) fn part(answer: &Value, number: usize) -> Value {
    let key = format!("d{number}");
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    assert!(answer["data"].is_object(), "{answer}");
    let errors: Vec<Value> = errors.into_iter().filter(|error| error["path"][0] == key.as_str()).collect();
    json!([answer["data"][&key], errors])
}

/// A list as a file.
pub(super) struct Export {
    pub(super) name: String,
    pub(super) list: &'static str,
    pub(super) columns: String,
    /// Which row around the subject it shows, if not the subject.
    pub(super) place: Option<usize>,
}

/// The exports that tell of a subject.
pub(super) fn exports(subject: &Subject) -> Vec<Export> {
    let schema = Schema::served();
    let (list, field) = (subject.entity.many, schema.groupable_field(subject.entity.name));
    let mut exports =
        vec![Export { name: "export".to_owned(), list, columns: format!("id,{field}"), place: None }];
    for (number, (source, link, _)) in
        subject.links.iter().enumerate().filter(|(_, (_, link, _))| !link.is_many)
    {
        let mut columns = format!("{}.{field}", link.name);
        let id = format!("{}Id", link.name);
        if schema.has_field(source.name, &id) {
            columns += &format!(",{id}");
        }
        let name = format!("{}.{} exported", source.name, link.name);
        exports.push(Export { name, list: source.many, columns, place: Some(2 * number) });
    }
    exports
}

/// Every mutation that takes an id of such a row, with its revision and with a stale one.
pub(super) fn steps(subject: &Subject) -> Vec<Step> {
    let schema = Schema::served();
    let mut steps = vec![];
    for root in schema.root_fields().into_iter().filter(|root| root.operation == "mutation") {
        for place in schema.id_places(&root).into_iter().filter(|place| !place.in_filter) {
            if !schema.meanings(&root, &place).contains(&subject.label.as_str()) {
                continue;
            }
            let name = format!("{}({})", root.name, place.path.join("."));
            if place.path.last().is_some_and(|last| last == "id") {
                let (name, root, place) = (format!("{name} stale"), root.clone(), place.clone());
                steps.push(Step { name, root, place, revision: Some(STALE) });
            }
            steps.push(Step { name, root: root.clone(), place, revision: None });
        }
    }
    steps
}
