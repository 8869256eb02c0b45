//! The shape of an answer that the GraphQL specification asks for: keys in the order of the
//! document, and `{}` for an object of which nothing was left to ask.
//!
//! The execution library answers fields in the order in which they end.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
};

use apollo_compiler::ast;
use async_graphql::{
    Name, Positioned, Response, Value,
    indexmap::IndexMap,
    parser::types::{ExecutableDocument, Field, FragmentDefinition, OperationType, Selection, SelectionSet},
};

use crate::{
    limit::{Exceeded, SELECTIONS_BY_TYPE},
    model::Model,
};

/// The keys of an answer in their order. It is found from the document that is executed, without
/// what conditions exclude: a key has the place of its first selection.
#[derive(Debug, Default)]
pub struct AnswerPlan {
    mark: &'static str,
    root: Keys,
}

/// The keys of an object, each with those of the object below it.
#[derive(Debug, Default)]
struct Keys {
    keys: IndexMap<Name, Keys>,
    /// Behind an interface, the keys of each object type that fragments name. All others use `keys`.
    by_type: HashMap<String, Keys>,
}

impl AnswerPlan {
    /// The plan of a document with one operation.
    ///
    /// # Errors
    /// Too many selections, where those behind an interface count for each type that fragments name.
    pub(crate) fn of(model: &Model, document: &ExecutableDocument) -> Result<Self, Exceeded> {
        let planning = Planning { model, fragments: &document.fragments, selections: Cell::new(0) };
        // A document is prepared with one operation.
        let root = document.operations.iter().next().map(|(_, operation)| {
            let kind = match operation.node.ty {
                OperationType::Query => ast::OperationType::Query,
                OperationType::Mutation => ast::OperationType::Mutation,
                OperationType::Subscription => ast::OperationType::Subscription,
            };
            let root = model.schema.root_operation(kind).map_or("", |root| root.as_str());
            planning.keys(&[(&operation.node.selection_set.node, root)])
        });
        Ok(Self { mark: model.settings.mark, root: root.transpose()?.unwrap_or_default() })
    }

    /// Gives the answer of the library its shape. JSON that lists have written has it already, and is
    /// not looked into.
    pub fn complete(&self, response: &mut Response) {
        if response.data == Value::Null && response.errors.is_empty() {
            // Every root field was skipped.
            response.data = Value::Object(IndexMap::new());
        }
        self.root.arrange(self.mark, &mut response.data);
    }
}

struct Planning<'d> {
    model: &'d Model,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// How many selections have been looked at. Interfaces in interfaces multiply them.
    selections: Cell<usize>,
}

/// A selection set and the type that it selects from.
type Set<'d> = (&'d SelectionSet, &'d str);

/// The fields of an object by their keys, each with what is selected below it.
type Fields<'d> = IndexMap<&'d Name, Vec<Set<'d>>>;

impl<'d> Planning<'d> {
    /// The keys of an object that several places may select from.
    fn keys(&self, sets: &[Set<'d>]) -> Result<Keys, Exceeded> {
        let Some((_, ty)) = sets.first() else { return Ok(Keys::default()) };
        let mut keys = Keys { keys: self.keys_of(sets, ty)?, by_type: HashMap::new() };
        if !self.model.is_object(ty) {
            let mut mentioned = BTreeSet::new();
            sets.iter().for_each(|(set, _)| self.mention(set, ty, &mut mentioned));
            for object in mentioned {
                let of_object = Keys { keys: self.keys_of(sets, object)?, by_type: HashMap::new() };
                keys.by_type.insert(object.to_owned(), of_object);
            }
        }
        Ok(keys)
    }

    /// The keys of an object of this type. For an interface, those of the types that no fragment
    /// names.
    fn keys_of(&self, sets: &[Set<'d>], object: &str) -> Result<IndexMap<Name, Keys>, Exceeded> {
        let mut fields = Fields::new();
        for set in sets {
            self.collect(*set, object, &mut fields)?;
        }
        let keys = fields.into_iter().map(|(key, below)| {
            let is_leaf = below.iter().all(|(set, _)| set.items.is_empty());
            Ok((key.clone(), if is_leaf { Keys::default() } else { self.keys(&below)? }))
        });
        keys.collect()
    }

    /// Adds the fields of a selection set that apply to an object.
    fn collect(&self, (set, ty): Set<'d>, object: &str, fields: &mut Fields<'d>) -> Result<(), Exceeded> {
        self.selections.set(self.selections.get() + set.items.len());
        SELECTIONS_BY_TYPE.check(self.selections.get())?;
        for selection in &set.items {
            if let Selection::Field(field) = &selection.node {
                let field = &field.node;
                let below = (&field.selection_set.node, self.type_of(ty, field));
                fields.entry(&field.response_key().node).or_default().push(below);
            } else if let Some((on, set)) = self.fragment(&selection.node)
                && on.is_none_or(|on| self.model.applies(on, object))
            {
                self.collect((set, on.unwrap_or(ty)), object, fields)?;
            }
        }
        Ok(())
    }

    /// Notes the object types for which a selection set differs from others.
    fn mention(&self, set: &'d SelectionSet, ty: &str, mentioned: &mut BTreeSet<&'d str>) {
        for selection in &set.items {
            if let Some((on, set)) = self.fragment(&selection.node) {
                if let Some(on) = on.filter(|on| *on != ty) {
                    mentioned.extend(self.model.objects(on));
                }
                self.mention(set, ty, mentioned);
            }
        }
    }

    /// The type condition and the selections of a fragment.
    fn fragment(&self, selection: &'d Selection) -> Option<(Option<&'d str>, &'d SelectionSet)> {
        let (on, set) = match selection {
            Selection::Field(_) => return None,
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self.fragments.get(&spread.node.fragment_name.node)?;
                (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
            }
        };
        Some((on.map(|on| on.node.on.node.as_str()), set))
    }

    /// The type that a field answers.
    fn type_of(&self, ty: &str, field: &Field) -> &'d str {
        match field.name.node.as_str() {
            _ if field.selection_set.node.items.is_empty() => "",
            "__schema" => "__Schema",
            "__type" => "__Type",
            name => {
                let field = self.model.schema.type_field(ty, name);
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
        AnswerPlan::of(&model(), &parse_query(document).unwrap()).unwrap().complete(&mut response);
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
    fn a_type_that_no_fragment_names_has_the_order_of_what_is_asked_of_all() {
        let document = "{ node { ... on Product { b: id } a: id ... on Node { c: id } b: id } }";
        let user = json!({"b": 1, "c": 2, "a": 3, "__mark": "User"});
        assert_eq!(completed(document, json!({ "node": user })), r#"{"node":{"a":3,"c":2,"b":1}}"#);
        let product = json!({"b": 1, "c": 2, "a": 3, "__mark": "Product"});
        assert_eq!(completed(document, json!({ "node": product })), r#"{"node":{"b":1,"a":3,"c":2}}"#);
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
