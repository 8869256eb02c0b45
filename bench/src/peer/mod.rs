//! The peer: PostGraphile on the same database, under the same role and row security, asked for
//! the same. `bench/peers` holds its settings and the versions of its packages.

mod wording;

use std::{
    env::consts::ARCH,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

pub(crate) use self::wording::body;
use crate::answer::MOST_GROUPS;

/// PostGraphile's packages and the program that starts it.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Installs exactly what the lock file names. No package's own scripts are run: none needs any.
pub(crate) async fn install() -> Result<()> {
    let options =
        ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--engine-strict=false"];
    let output = Command::new("npm")
        .arg("ci")
        .args(options)
        .current_dir(folder())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("--peers needs npm")?;
    ensure!(output.status.success(), "npm ci failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The program, which reads `LISTEN`, `CONNECTIONS` and `DATABASE_URL`. It runs on the Node.js
/// that was installed with it: the machine's may be too old.
pub(crate) fn command() -> Result<Command> {
    let machine = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("bench/peers names no Node.js for {other}"),
    };
    let mut command = Command::new(folder().join(format!("node_modules/node-linux-{machine}/bin/node")));
    // Helping threads made garbage collection dearer: there is no free core for them.
    command.args(["--single-threaded-gc", "server.mjs"]).current_dir(folder());
    // Without these PostGraphile checks and explains what only its developers need.
    command.env("NODE_ENV", "production").env("GRAPHILE_ENV", "production");
    command.env_remove("NODE_OPTIONS").env_remove("DEBUG");
    Ok(command)
}

/// Gives an answer the service's form where aliases cannot.
pub(crate) fn translate(answer: &mut Value) {
    if let Some(groups) = answer.pointer_mut("/data/contacts/groups").map(Value::take) {
        *answer = json!({ "data": { "contactsAggregate": in_order(groups) } });
    }
    if let Some(payload) = answer.pointer_mut("/data/createContact").and_then(Value::as_object_mut) {
        payload.insert("userErrors".into(), json!([]));
    }
}

/// PostGraphile gives keys and counts as strings, all groups, in no order.
fn in_order(groups: Value) -> Vec<Value> {
    let Value::Array(mut groups) = groups else { return Vec::new() };
    let text = |group: &Value, path| group.pointer(path).and_then(Value::as_str).map(str::to_owned);
    groups.sort_by_cached_key(|group| (text(group, "/keys/0"), text(group, "/keys/1")));
    groups.truncate(MOST_GROUPS);
    let translated = groups.iter().map(|group| {
        let count = text(group, "/count/rows").and_then(|count| count.parse::<u64>().ok());
        let key = json!({ "country": text(group, "/keys/0"), "createdAt": text(group, "/keys/1") });
        json!({ "key": key, "count": count })
    });
    translated.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_get_the_form_and_the_order_of_the_service() {
        let mut answer = json!({ "data": { "contacts": { "groups": [
            { "keys": ["DE", "2026-02"], "count": { "rows": "3" } },
            { "keys": ["AT", "2026-03"], "count": { "rows": "1" } },
            { "keys": ["DE", "2026-01"], "count": { "rows": "2" } },
        ] } } });
        translate(&mut answer);
        let group = |country, month, count| json!({ "key": { "country": country, "createdAt": month }, "count": count });
        let groups = [group("AT", "2026-03", 1), group("DE", "2026-01", 2), group("DE", "2026-02", 3)];
        assert_eq!(answer, json!({ "data": { "contactsAggregate": groups } }));
    }
}
