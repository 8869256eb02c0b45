//! The body of a request, after the GraphQL-over-HTTP specification.

use std::fmt;

use async_graphql::{Name, Value, indexmap::IndexMap};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{
    refusal::{Problem, Refused},
    value::{Counted, Counter},
};

/// The parameters of a request.
#[derive(Debug, Default)]
pub struct Parameters {
    /// The document.
    pub query: String,
    /// The name of the operation to execute; none if it was empty.
    pub operation_name: Option<String>,
    /// The values of the variables, as they were sent.
    pub variables: IndexMap<Name, Value>,
}

/// The parameters that the specification knows. Others are ignored.
const KNOWN: [&str; 4] = ["query", "operationName", "variables", "extensions"];

impl Parameters {
    /// Reads a body of `application/json`.
    ///
    /// # Errors
    /// What is not JSON, not one request, or a parameter of the wrong type; a body with too many
    /// values.
    pub fn from_json(body: &[u8]) -> Result<Self, Refused> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Problem::new("Batching is off: send one request at a time.").into());
        }
        let mut counter = Counter::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Reading(&mut counter).deserialize(&mut json);
        let given = read.and_then(|given| json.end().map(|()| given)).map_err(|error| {
            let malformed = || match error.is_data() {
                true => Problem::new("The body must be one JSON object."),
                false => Problem::new(format!("The body must be one JSON object: {error}.")),
            };
            counter.exceeded.map_or_else(malformed, Problem::from)
        })?;
        Self::of(given)
    }

    fn of(mut given: IndexMap<&'static str, Value>) -> Result<Self, Refused> {
        let mut take = |name| given.swap_remove(name).unwrap_or_default();
        let wrong = |message: &str| Refused::from(Problem::new(message));
        let query = match take("query") {
            Value::String(query) => query,
            Value::Null => return Err(wrong("The request has no `query`.")),
            _ => return Err(wrong("`query` must be a string.")),
        };
        let operation_name = match take("operationName") {
            Value::String(name) => Some(name).filter(|name| !name.is_empty()),
            Value::Null => None,
            _ => return Err(wrong("`operationName` must be a string or null.")),
        };
        let variables = match take("variables") {
            Value::Object(variables) => variables,
            Value::Null => IndexMap::new(),
            _ => return Err(wrong("`variables` must be an object or null.")),
        };
        match take("extensions") {
            Value::Object(_) | Value::Null => Ok(Self { query, operation_name, variables }),
            _ => Err(wrong("`extensions` must be an object or null.")),
        }
    }
}

/// Reads the known parameters of a body as values of any type.
struct Reading<'c>(&'c mut Counter);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = IndexMap<&'static str, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = IndexMap<&'static str, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `query`, `operationName`, `variables` and `extensions`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut given = IndexMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match KNOWN.into_iter().find(|known| **known == key) {
                Some(known) => {
                    let value = map.next_value_seed(Counted { counter: &mut *self.0, depth: 0 })?;
                    given.insert(known, value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(body: &str) -> String {
        let Refused(problems) = Parameters::from_json(body.as_bytes()).unwrap_err();
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_body_is_read_with_what_is_unknown_or_empty_left_out() {
        let body = "\u{feff} {\"query\": \"{a}\", \"operationName\": \"\", \"variables\": {\"a\": [1.5]}, \"id\": [{}]}";
        let read = Parameters::from_json(body.as_bytes()).unwrap();
        assert_eq!((read.query.as_str(), read.operation_name), ("{a}", None));
        assert_eq!(Value::Object(read.variables).into_json().unwrap(), json!({"a": [1.5]}));
    }

    #[test]
    fn each_parameter_of_a_wrong_type_is_named_in_a_sentence() {
        let cases = [
            ("{}", "The request has no `query`."),
            (r#"{"query": null}"#, "The request has no `query`."),
            (r#"{"query": 7}"#, "`query` must be a string."),
            (r#"{"query": "{a}", "operationName": {}}"#, "`operationName` must be a string or null."),
            (r#"{"query": "{a}", "variables": "{}"}"#, "`variables` must be an object or null."),
            (r#"{"query": "{a}", "extensions": []}"#, "`extensions` must be an object or null."),
            (" [{}]", "Batching is off: send one request at a time."),
        ];
        for (body, message) in cases {
            assert_eq!(refusal(body), message, "{body}");
        }
        for body in ["", "7", "{", "{\"query\": \"{a}\"} {}", "\"{a}\"", "{\"query\": \"\\ud800\"}"] {
            assert!(refusal(body).starts_with("The body must be one JSON object"), "{body}");
        }
    }

    #[test]
    fn values_are_counted_while_they_are_read() {
        let body = |variables: String| format!(r#"{{"query": "{{a}}", "variables": {variables}}}"#);
        let wide = |items: usize| body(format!(r#"{{"a": [0{}]}}"#, ",0".repeat(items - 1)));
        // The query, the object, the list and its items.
        assert!(Parameters::from_json(wide(199_997).as_bytes()).is_ok());
        assert!(refusal(&wide(199_998)).starts_with("200001 values in variables"));
        let deep = |depth: usize| body(format!(r#"{{"a": {}{}}}"#, "[".repeat(depth), "]".repeat(depth)));
        assert!(Parameters::from_json(deep(64).as_bytes()).is_ok());
        assert!(refusal(&deep(65)).starts_with("65 levels of nested lists and objects"));
    }
}
