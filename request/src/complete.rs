//! Puts an answer into the shape that the GraphQL specification asks for: keys in the order of the
//! document, and `{}` for an object of which nothing was left to ask.
//!
//! The execution library answers fields in the order in which they end.

use async_graphql::{Name, Response, Value, indexmap::IndexMap};

use crate::plan::Plan;

/// Completes the data of an operation that was executed. JSON that lists have written is in order
/// already, and is not looked into.
pub(crate) fn complete(plan: &Plan, mark: &str, response: &mut Response) {
    if response.data == Value::Null {
        // Nothing at the root was left to ask.
        response.data = Value::Object(IndexMap::new());
    }
    plan.arrange(mark, &mut response.data);
}

impl Plan {
    fn arrange(&self, mark: &str, value: &mut Value) {
        // What has no fields in the document is JSON of a custom scalar, whose keys are its own.
        if self.keys.is_empty() {
            return;
        }
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(mark, item)),
            Value::Object(object) => {
                object.shift_remove(mark);
                if !self.is_in_order(object) {
                    object.sort_by_cached_key(|key, _| self.keys.get_index_of(key));
                }
                for (key, value) in object.iter_mut() {
                    if let (Value::Object(_) | Value::List(_), Some(plan)) = (&*value, self.keys.get(key)) {
                        plan.arrange(mark, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn is_in_order(&self, object: &IndexMap<Name, Value>) -> bool {
        let mut planned = self.keys.keys();
        object.keys().all(|key| planned.any(|plan| plan == key))
    }
}
