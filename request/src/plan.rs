//! The shape of an answer that the GraphQL specification asks for: keys in the order of the
//! document, and `{}` for an object of which nothing was left to ask.
//!
//! The execution library answers fields in the order in which they end.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
};

use async_graphql::{
    Name, Positioned, Response, Value,
    indexmap::IndexMap,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationType, Selection, SelectionSet,
    },
};

use crate::{Model, limit::SELECTIONS};

/// The keys of an answer in their order. It is found from the document that is executed, after
/// conditions have been applied: a key stands where it is first asked for.
#[derive(Debug, Default)]
pub struct AnswerPlan {
    mark: &'static str,
    root: Keys,
}

/// The keys of an object, each with those of the object below it.
#[derive(Debug, Default)]
struct Keys {
    keys: IndexMap<Name, Keys>,
    /// Those of an object behind an interface, by its type. Other types have the keys above.
    by_type: HashMap<String, Keys>,
}

impl AnswerPlan {
    /// The plan of a document with one operation.
    pub(crate) fn of(model: &Model, document: &ExecutableDocument) -> Self {
        let left = Cell::new(SELECTIONS.most);
        let planning = Planning { model, fragments: &document.fragments, left };
        let root = match &document.operations {
            DocumentOperations::Single(one) => {
                let root = match one.node.ty {
                    OperationType::Query => "Query",
                    OperationType::Mutation => "Mutation",
                    OperationType::Subscription => "Subscription",
                };
                planning.keys(&[&one.node.selection_set.node], root)
            }
            // A document is prepared with one operation.
            DocumentOperations::Multiple(_) => Keys::default(),
        };
        Self { mark: model.settings.mark, root }
    }

    /// Gives the answer of the library its shape. JSON that lists have written has it already, and is
    /// not looked into.
    pub fn complete(&self, response: &mut Response) {
        if response.data == Value::Null {
            // Nothing at the root was left to ask.
            response.data = Value::Object(IndexMap::new());
        }
        self.root.arrange(self.mark, &mut response.data);
    }
}

struct Planning<'d> {
    model: &'d Model,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// How many selections may still be looked at for single types behind interfaces: interfaces in
    /// one another multiply them. Beyond that, keys have the order of the document alone.
    left: Cell<usize>,
}

/// The fields of an object by their keys: their name, and what is asked below each of their places.
type Fields<'d> = IndexMap<&'d Name, (&'d str, Vec<&'d SelectionSet>)>;

impl<'d> Planning<'d> {
    /// The keys of an object of this type, which several places may ask for.
    fn keys(&self, sets: &[&'d SelectionSet], ty: &str) -> Keys {
        let mut keys = Keys { keys: self.keys_of(sets, ty), by_type: HashMap::new() };
        if !self.model.is_object(ty) {
            let mut mentioned = BTreeSet::new();
            sets.iter().for_each(|set| self.mention(set, &mut mentioned));
            for object in mentioned.into_iter().take_while(|_| self.left.get() > 0) {
                let of_object = Keys { keys: self.keys_of(sets, object), by_type: HashMap::new() };
                keys.by_type.insert(object.to_owned(), of_object);
            }
        }
        keys
    }

    fn keys_of(&self, sets: &[&'d SelectionSet], ty: &str) -> IndexMap<Name, Keys> {
        let mut fields = Fields::new();
        sets.iter().for_each(|set| self.collect(set, ty, &mut fields));
        let keys = fields.into_iter().map(|(key, (field, below))| {
            let below = match below.iter().all(|set| set.items.is_empty()) {
                true => Keys::default(),
                false => self.keys(&below, self.type_of(ty, field)),
            };
            (key.clone(), below)
        });
        keys.collect()
    }

    /// Adds the fields of a selection set that apply to this type.
    fn collect(&self, set: &'d SelectionSet, ty: &str, fields: &mut Fields<'d>) {
        self.left.set(self.left.get().saturating_sub(set.items.len()));
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = fields.entry(&field.response_key().node);
                    let (_, below) = known.or_insert((field.name.node.as_str(), vec![]));
                    below.push(&field.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    if on.is_none_or(|on| self.model.applies(&on.node.on.node, ty)) {
                        self.collect(&fragment.node.selection_set.node, ty, fields);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node)
                        && self.model.applies(&fragment.node.type_condition.node.on.node, ty)
                    {
                        self.collect(&fragment.node.selection_set.node, ty, fields);
                    }
                }
            }
        }
    }

    /// Notes the object types that fragments of a selection set name.
    fn mention(&self, set: &'d SelectionSet, mentioned: &mut BTreeSet<&'d str>) {
        for selection in &set.items {
            let (on, set) = match &selection.node {
                Selection::Field(_) => continue,
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.node.fragment_name.node);
                    let Some(fragment) = fragment else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            if let Some(on) = on.map(|on| on.node.on.node.as_str()).filter(|on| self.model.is_object(on)) {
                mentioned.insert(on);
            }
            self.mention(set, mentioned);
        }
    }

    /// The type that a field answers.
    fn type_of(&self, ty: &str, field: &str) -> &'d str {
        match field {
            "__schema" => "__Schema",
            "__type" => "__Type",
            field => {
                let field = self.model.schema.type_field(ty, field);
                field.map(|field| field.ty.inner_named_type().as_str()).unwrap_or_default()
            }
        }
    }
}

impl Keys {
    fn arrange(&self, mark: &str, value: &mut Value) {
        // What has no fields in the document is JSON of a custom scalar, whose keys are its own.
        if self.keys.is_empty() && self.by_type.is_empty() {
            return;
        }
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(mark, item)),
            Value::Object(object) => {
                let ty = object.shift_remove(mark);
                let of_type = match ty {
                    Some(Value::String(ty)) => self.by_type.get(&ty),
                    _ => None,
                };
                of_type.unwrap_or(self).arrange_object(mark, object);
            }
            _ => {}
        }
    }

    fn arrange_object(&self, mark: &str, object: &mut IndexMap<Name, Value>) {
        if !self.is_order_of(object) {
            object.sort_by_cached_key(|key, _| self.keys.get_index_of(key));
        }
        for (key, value) in object.iter_mut() {
            if let (Value::Object(_) | Value::List(_), Some(keys)) = (&*value, self.keys.get(key)) {
                keys.arrange(mark, value);
            }
        }
    }

    fn is_order_of(&self, object: &IndexMap<Name, Value>) -> bool {
        let mut planned = self.keys.keys();
        object.keys().all(|key| planned.any(|plan| plan == key))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;
    use crate::tests::model;

    fn completed(document: &str, data: serde_json::Value) -> String {
        let mut response = Response::new(Value::from_json(data).unwrap());
        AnswerPlan::of(&model(), &parse_query(document).unwrap()).complete(&mut response);
        serde_json::to_string(&response.data).unwrap()
    }

    #[test]
    fn keys_come_in_the_order_of_the_document() {
        let document = "{ b: users { id ...f } me { id } } fragment f on User { name }";
        assert_eq!(
            completed(document, json!({"me": {"id": 1}, "b": [{"name": 1, "id": 2}]})),
            r#"{"b":[{"id":2,"name":1}],"me":{"id":1}}"#
        );
    }

    #[test]
    fn a_fragment_that_does_not_apply_orders_nothing() {
        let document = "{ node { ... on Product { name } id ... on User { kind name } } me { ... on Node { ... on Product { name } id } name } }";
        let user = json!({"__mark": "User", "name": 1, "kind": 2, "id": 3});
        let product = json!({"__mark": "Product", "id": 1, "name": 2});
        let me = json!({"name": 1, "id": 2});
        assert_eq!(
            completed(document, json!({"node": [user, product], "me": me})),
            r#"{"node":[{"id":3,"kind":2,"name":1},{"name":2,"id":1}],"me":{"id":2,"name":1}}"#
        );
    }

    #[test]
    fn the_mark_is_not_answered_and_json_stays_as_it_is() {
        let data = json!({"me": {"__mark": "T", "name": {"b": 1, "__mark": "mine", "a": 2}}});
        assert_eq!(
            completed("{ me { name __mark: __typename } }", data),
            r#"{"me":{"name":{"__mark":"mine","a":2,"b":1}}}"#
        );
        assert_eq!(
            completed("{ users { __mark: __typename } }", json!({"users": [{"__mark": "T"}, null]})),
            r#"{"users":[{},null]}"#
        );
        assert_eq!(completed("{ me { id } }", json!(null)), "{}");
    }
}
