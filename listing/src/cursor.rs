use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Direction, Entity, Value, order::Key};

/// The place of a row in an order, opaque to clients: the order's fingerprint and the row's values
/// of its keys.
pub(crate) fn encode<E: Entity>(row: &E, order: &[Key]) -> String {
    let values: Vec<Value> = order
        .iter()
        .map(|key| match E::FIELDS.iter().find(|field| field.name == key.name) {
            Some(field) => (field.value)(row),
            None => Value::Uuid(row.id()),
        })
        .collect();
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
    let fit = order.iter().zip(&values).all(|(key, value)| value.fits(key.kind, key.nullable));
    if values.len() == order.len() && fit { Ok(values) } else { Err(malformed) }
}

fn fingerprint(order: &[Key]) -> String {
    let signed = order.iter().map(|key| match key.direction {
        Direction::Asc => format!("+{}", key.name),
        Direction::Desc => format!("-{}", key.name),
    });
    signed.collect()
}
