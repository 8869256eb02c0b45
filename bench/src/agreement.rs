//! Before anything is measured: all servers must answer the same, or the comparison is void.

use anyhow::{Result, ensure};
use chrono::DateTime;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{
    case::Case,
    client::Connection,
    peer,
    target::{Side, Target, Tenant},
    type_id::{self, Contact},
};

/// Asks all of them about the first tenants, and compares.
pub(crate) async fn check(targets: &[Target], case: Case, tenants: &[Tenant]) -> Result<()> {
    let mut random = StdRng::seed_from_u64(0);
    for tenant in tenants.iter().take(5) {
        let wish = case.wish(tenant, &mut random);
        let mut first: Option<(Side, Value)> = None;
        for target in targets {
            let question = target.side.question(wish, tenant);
            let answer =
                Connection::open(target.address).await?.post(target.post(case, tenant, &question)).await?;
            question.check(&answer)?;
            let mut answer: Value = serde_json::from_slice(&answer)?;
            if target.side == Side::Postgraphile {
                peer::translate(&mut answer);
            }
            simplify(&mut answer, case);
            let (side, expected) = first.get_or_insert_with(|| (target.side, answer.clone()));
            ensure!(
                *expected == answer,
                "{} and {} differ in {}:\n{expected}\n{answer}",
                side.name(),
                target.side.name(),
                case.name()
            );
        }
    }
    Ok(())
}

/// Leaves away what may differ: an instant and an id have several spellings, a new row's id is its
/// own, and only the service has `extensions`.
fn simplify(value: &mut Value, case: Case) {
    match value {
        Value::Object(fields) => {
            fields.remove("extensions");
            if case == Case::Create {
                fields.remove("id");
            }
            fields.values_mut().for_each(|value| simplify(value, case));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| simplify(value, case)),
        Value::String(text) => {
            if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
                *text = instant.to_utc().to_rfc3339();
            } else if let Ok(id) = type_id::decode::<Contact>(text) {
                *text = id.to_string();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => (),
    }
}
