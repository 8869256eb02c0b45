use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// The largest number that every client of JSON reads exactly: 2^53 - 1 (RFC 8259, section 6).
const MAX: i64 = 9_007_199_254_740_991;

/// A whole number of at most 53 bits, as a JSON number: an amount of bytes, a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Long(pub i64);

impl Long {
    /// This number, if every client reads it exactly.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (-MAX..=MAX).contains(&number).then_some(Self(number))
    }
}

/// A whole number between -(2^53 - 1) and 2^53 - 1, which every client of JSON reads exactly.
#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Number(number) = &value else { return Err(InputValueError::expected_type(value)) };
        let long = number.as_i64().and_then(Self::new);
        long.ok_or_else(|| InputValueError::custom("This is not a whole number of at most 53 bits."))
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }
}
