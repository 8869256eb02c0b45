use std::borrow::Cow;

use async_graphql::{InputType, InputValueResult, Value};

use crate::registry::Registry;

/// An argument as it came in: what is wrong with it is said where it is used, together with its
/// place. Nobody asks for its type, which is described under a name of its own.
pub(crate) struct Raw(pub(crate) Value);

impl InputType for Raw {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "Raw".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        "Raw".to_owned()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(Self(value.unwrap_or_default()))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
