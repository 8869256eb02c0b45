//! Before anything is measured: both servers must answer the same, or the comparison is void.

use anyhow::{Result, ensure};
use chrono::DateTime;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{
    case::Case,
    client::Connection,
    target::{Side, Target, Tenant},
};

/// Asks both about the first tenants, and compares.
pub(crate) async fn check(targets: &[Target; 2], case: Case, tenants: &[Tenant]) -> Result<()> {
    let mut random = StdRng::seed_from_u64(0);
    for tenant in tenants.iter().take(5) {
        let question = case.question(tenant, &mut random);
        let mut answers = Vec::with_capacity(targets.len());
        for target in targets {
            let answer =
                Connection::open(target.address).await?.post(target.post(case, tenant, &question)).await?;
            question.check(&answer)?;
            let mut answer: Value = serde_json::from_slice(&answer)?;
            simplify(&mut answer, case);
            answers.push((target.side, answer));
        }
        let [(_, first), (_, second)] = answers.as_slice() else { continue };
        ensure!(
            first == second,
            "{} and {} differ in {}:\n{first}\n{second}",
            Side::Service.name(),
            Side::Floor.name(),
            case.name()
        );
    }
    Ok(())
}

/// Leaves away what may differ: an instant has several spellings, a new row's id is its own, and
/// only the service has `extensions`.
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
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => (),
    }
}
