use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Direction, Entity, Value, entity::field, read::order::Key, sql::values::Wide};

/// The place of a row in an order, opaque to clients: the order's fingerprint and the row's values
/// of its keys.
pub(crate) fn encode<E: Entity>(wide: &Wide<E>, order: &[Key]) -> String {
    // What is not the row's own comes first behind its columns, in the same order.
    let mut more = wide.more.iter();
    let values: Vec<Value> = order
        .iter()
        .map(|key| match key.via {
            Some(_) => more.next().cloned().unwrap_or(Value::Null),
            None => field::<E>(key.shape.name)
                .map_or(Value::Uuid(wide.row.id()), |field| (field.value)(&wide.row)),
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
    let fit = order.iter().zip(&values).all(|(key, value)| value.fits(key.shape.kind, key.is_nullable()));
    if values.len() == order.len() && fit { Ok(values) } else { Err(malformed) }
}

fn fingerprint(order: &[Key]) -> String {
    let signed = order.iter().map(|key| match key.direction {
        Direction::Asc => format!("+{}", key.name()),
        Direction::Desc => format!("-{}", key.name()),
    });
    signed.collect()
}
