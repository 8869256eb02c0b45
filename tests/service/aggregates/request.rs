//! Questions as GraphQL asks them, and its answers read.

use serde_json::{Map, Value, json};

use super::{
    cell::{Cell, Kind},
    model::{By, Field, Filter, Function, Group, Measure, Operator, Question},
};
use crate::harness::{Answer, Client};

/// An entity as the schema names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity {
    /// `Contact`
    pub(super) name: &'static str,
    /// `contacts`
    pub(super) many: &'static str,
}

pub(super) const CONTACTS: Entity = Entity { name: "Contact", many: "contacts" };
pub(super) const PRODUCTS: Entity = Entity { name: "Product", many: "products" };

impl Entity {
    /// What holds the answer.
    pub(super) fn pointer(self) -> String {
        format!("/data/{}Aggregate", self.many)
    }

    /// The document that asks for these fields of each group.
    pub(super) fn document(self, selection: &str) -> String {
        let Self { name, many } = self;
        format!(
            "query ($where: {name}Filter, $groupBy: {name}GroupBy, $having: {name}Having, \
             $orderBy: [{name}GroupOrderBy!], $first: Int) {{ {many}Aggregate(where: $where, \
             groupBy: $groupBy, having: $having, orderBy: $orderBy, first: $first) {{ {selection} }} }}"
        )
    }
}

impl Function {
    pub(super) const ALL: [Self; 9] = [
        Self::CountDistinct,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::Share,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::CountDistinct => "countDistinct",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Share => "share",
        }
    }

    /// What kind of value it makes of this kind.
    fn kind(self, kind: Kind) -> Kind {
        match self {
            Self::CountDistinct | Self::Sum | Self::Avg | Self::Share => Kind::Number,
            Self::Min | Self::Max | Self::P50 | Self::P90 | Self::P99 => kind,
        }
    }
}

/// Puts a value at a dotted path.
fn set(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = place.as_object_mut().unwrap().entry(step).or_insert(Value::Null);
    }
    *place = value;
}

fn at(path: &str, value: Value) -> Value {
    let mut object = Value::Null;
    set(&mut object, path, value);
    object
}

/// The paths of all leaves of an object, in its order.
fn leaves(tree: &Value, path: &str, into: &mut Vec<String>) {
    match tree {
        Value::Object(fields) if !fields.contains_key("bucket") => {
            for (name, below) in fields {
                leaves(below, [path, name].join(".").trim_start_matches('.'), into);
            }
        }
        _ => into.push(path.to_owned()),
    }
}

fn selection(tree: &Value) -> String {
    let Value::Object(fields) = tree else { return String::new() };
    let fields: Vec<String> =
        fields.iter().map(|(name, below)| format!("{name} {}", selection(below))).collect();
    format!("{{ {} }}", fields.join(" "))
}

fn filter(requested: &Filter) -> Value {
    let all = |filters: &[Filter]| filters.iter().map(filter).collect::<Vec<_>>();
    match requested {
        Filter::All(filters) => json!({ "and": all(filters) }),
        Filter::Any(filters) => json!({ "or": all(filters) }),
        Filter::Not(inner) => json!({ "not": filter(inner) }),
        Filter::Is(field, operator, value) => {
            at(field.path, json!({ operator.name(): value.json(field.kind) }))
        }
        Filter::In(field, values, yes) => {
            let values: Vec<Value> = values.iter().map(|value| value.json(field.kind)).collect();
            at(field.path, json!({ (if *yes { "in" } else { "notIn" }): values }))
        }
        Filter::IsNull(field, yes) => at(field.path, json!({ "isNull": yes })),
    }
}

/// An operand of `having`: counts are numbers, everything exact is a string.
fn operand(measure: Option<Measure>, value: &Cell) -> Value {
    match (measure, value) {
        (None | Some(Measure { function: Function::CountDistinct, .. }), Cell::Number(count)) => {
            json!(count.to_plain_string().parse::<i64>().unwrap())
        }
        (Some(Measure { function, field }), value) => value.json(function.kind(field.kind)),
        _ => panic!("{value:?} is no count"),
    }
}

fn having(requested: &[(Option<Measure>, Operator, Cell)]) -> Value {
    let mut object = json!({});
    for (measure, operator, value) in requested {
        let path = match measure {
            Some(measure) => {
                format!("{}.{}.{}", measure.function.name(), measure.field.path, operator.name())
            }
            None => format!("count.{}", operator.name()),
        };
        set(&mut object, &path, operand(*measure, value));
    }
    object
}

fn order(requested: &[(By, bool)]) -> Value {
    let item = |(by, down): &(By, bool)| {
        let path = match by {
            By::Count => "count".to_owned(),
            By::Key(field) => format!("key.{}", field.path),
            By::Figure(measure) => format!("{}.{}", measure.function.name(), measure.field.path),
        };
        at(&path, json!(if *down { "DESC" } else { "ASC" }))
    };
    requested.iter().map(item).collect()
}

impl Question {
    fn group_by(&self) -> Value {
        let mut object = json!({});
        for key in &self.keys {
            let how = match &key.bucket {
                None => json!(true),
                Some(bucket) => {
                    let mut how = json!({ "bucket": bucket.unit.name() });
                    if key.field.kind == Kind::Instant {
                        how["zone"] = json!(bucket.zone.name());
                    }
                    if let Some((from, to)) = &bucket.range {
                        how["from"] = from.json(key.field.kind);
                        how["to"] = to.json(key.field.kind);
                    }
                    how
                }
            };
            set(&mut object, key.field.path, how);
        }
        object
    }

    /// Puts the keys into the order in which they are written, which is the order of the groups.
    pub(super) fn tidy(&mut self) {
        let mut written = vec![];
        leaves(&self.group_by(), "", &mut written);
        self.keys.sort_by_key(|key| written.iter().position(|path| path == key.field.path));
    }

    /// The document that asks it.
    pub(super) fn document(&self, entity: Entity) -> String {
        let mut tree = json!({ "count": null });
        for key in &self.keys {
            set(&mut tree, &format!("key.{}", key.field.path), Value::Null);
        }
        for measure in &self.measures {
            set(&mut tree, &format!("{}.{}", measure.function.name(), measure.field.path), Value::Null);
        }
        entity.document(selection(&tree).trim_start_matches('{').trim_end_matches('}'))
    }

    pub(super) fn variables(&self) -> Value {
        json!({
            "where": filter(&self.filter), "groupBy": self.group_by(), "having": having(&self.having),
            "orderBy": order(&self.order), "first": self.first,
        })
    }

    pub(super) async fn ask(&self, client: &Client, entity: Entity) -> Answer {
        client.run(&self.document(entity), self.variables()).await
    }

    /// The groups of an answer.
    pub(super) fn read(&self, groups: &Value) -> Vec<Group> {
        let value = |group: &Value, path: &str, kind: Kind| {
            let answered = group.pointer(&format!("/{}", path.replace('.', "/")));
            Cell::read(kind, answered.unwrap_or_else(|| panic!("no {path} in {group}")))
        };
        let key = |group: &Value, field: Field| value(&group["key"], field.path, field.kind);
        let figure = |group: &Value, Measure { function, field }: Measure| {
            value(&group[function.name()], field.path, function.kind(field.kind))
        };
        let group = |group: &Value| Group {
            keys: self.keys.iter().map(|requested| key(group, requested.field)).collect(),
            count: value(group, "count", Kind::Number),
            figures: self.measures.iter().map(|measure| figure(group, *measure)).collect(),
        };
        groups.as_array().unwrap_or_else(|| panic!("{groups}")).iter().map(group).collect()
    }
}
