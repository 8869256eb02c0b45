use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    sql::{
        column::Column,
        order::{Direction, Key},
        values::Values,
    },
    value::Value,
};

/// The place of a row in an order: the row's values of its keys.
pub(crate) fn place<'r>(row: &'r Values, columns: &[Column], order: &[Key]) -> Vec<&'r Value> {
    // The keys that are not the row's own come right behind its columns.
    let mut foreign = columns.len()..;
    let place = |key: &Key| match &key.via {
        Some(_) => foreign.next(),
        None => columns.iter().position(|column| column.term == key.column.term),
    };
    order.iter().map(place).map(|place| place.map_or(&Value::Null, |place| row.at(place))).collect()
}

/// The place of a row, opaque to clients: the order's fingerprint and the values.
pub(crate) fn encode(row: &Values, columns: &[Column], order: &[Key]) -> String {
    let values = place(row, columns, order);
    // Strings, numbers and ids always serialise.
    let json = serde_json::to_vec(&(fingerprint(order), values)).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

/// The values of a cursor of this order.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(crate) fn decode(cursor: &str, order: &[Key]) -> Result<Vec<Value>, &'static str> {
    let malformed = "This is not a cursor of this list.";
    let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| malformed)?;
    let (of, values): (String, Vec<Value>) = serde_json::from_slice(&json).map_err(|_| malformed)?;
    if of != fingerprint(order) {
        return Err("This cursor belongs to another order of the list.");
    }
    let fit = order.iter().zip(&values).all(|(key, value)| key.column.kind.holds(value, key.is_nullable()));
    if values.len() == order.len() && fit { Ok(values) } else { Err(malformed) }
}

fn fingerprint(order: &[Key]) -> String {
    let signed = order.iter().map(|key| match key.direction {
        Direction::Asc => format!("+{}", key.name()),
        Direction::Desc => format!("-{}", key.name()),
        Direction::AscNullsFirst => format!("0+{}", key.name()),
        Direction::DescNullsFirst => format!("0-{}", key.name()),
    });
    signed.collect()
}
