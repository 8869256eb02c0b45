//! The floor of the outbox: the same statements from pgbench, in the fewest round trips, and with as
//! many jobs to a claim as a gateway has hands for.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Stdio,
    slice,
};

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use uuid::Uuid;

use super::{
    cost::{Cost, Meter},
    ground::Ground,
    outbox::{WRITERS, left, organisations},
};

/// Names the folder for scripts.
pub(crate) const FOLDER: &str = "BENCH_FOLDER";
/// As many as events/src/dispatch.rs dispatches at once.
const BATCH: u32 = 500;
/// As many as events/src/queue/worker.rs works at, at the same time.
const SLOTS: u32 = 64;
/// How many claims more it takes at a time, and how often at most.
const FEW: u32 = 4;
const ATTEMPTS: u32 = 20;

/// The service's own statements, and what stands here for their parameters. The lock is any that nobody
/// else takes.
const DISPATCH: &str = include_str!("../../../events/src/dispatch.sql");
const OF_DISPATCH: [&str; 5] = ["32762643830108770", "500", "'webhook'", "'{bench}'", "'{contact.*}'"];
const CLAIM: &str = include_str!("../../../events/src/queue/claim.sql");
const OF_CLAIM: [&str; 7] = ["NULL", "'{}'", "'{}'", "'{bench}'", "8", "64", "interval '60 seconds'"];

/// What came out, for each event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) publish: Cost,
    pub(crate) work: Cost,
}

/// Measures it; nothing where PostgreSQL came without pgbench.
pub(crate) async fn measure(postmaster: u32, events: u32) -> Result<Option<Outcome>> {
    let ground = Ground::open().await?;
    let folder = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
    let folder: String = ground.admin.query_one(folder, &[]).await?.try_get(0)?;
    let program = Path::new(&folder).join("pgbench");
    if !program.exists() {
        return Ok(None);
    }
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let (app, system) = (variable("DATABASE_URL")?, variable("DATABASE_SYSTEM_URL")?);
    let pgbench = Pgbench { program, folder: variable(FOLDER)?.into() };
    let each = events / WRITERS;

    let mut scripts = vec![];
    for organisation in organisations(&ground.admin).await? {
        scripts.push(pgbench.script(&format!("publish-{organisation}"), &publish(organisation)).await?);
    }
    let meter = Meter::start(postmaster)?;
    pgbench.run(&app, &scripts, WRITERS, each).await?;
    let publish = meter.stop(each * WRITERS)?;
    ground.admin.batch_execute("VACUUM ANALYZE events").await?;

    let dispatch =
        pgbench.script("dispatch", &in_transaction(&format!("{};", filled(DISPATCH, &OF_DISPATCH)))).await?;
    let work = pgbench.script("work", &work()).await?;
    let meter = Meter::start(postmaster)?;
    pgbench.run(&system, &[dispatch], 1, events.div_ceil(BATCH)).await?;
    let mut claims = events.div_ceil(SLOTS);
    // Chance gave some organisation more events than others: its last ones need a few claims more.
    for _ in 0..ATTEMPTS {
        pgbench.run(&system, slice::from_ref(&work), 1, claims).await?;
        if left(&ground.admin).await? == 0 {
            break;
        }
        claims = FEW;
    }
    let work = meter.stop(each * WRITERS)?;
    let left = left(&ground.admin).await?;
    ensure!(left == 0, "pgbench has left {left} jobs");
    Ok(Some(Outcome { publish, work }))
}

struct Pgbench {
    program: PathBuf,
    folder: PathBuf,
}

impl Pgbench {
    async fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.pgbench"));
        tokio::fs::write(&path, text).await.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Runs one of the scripts so many times on each connection, and waits for its end.
    async fn run(&self, url: &str, scripts: &[PathBuf], connections: u32, times: u32) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared"]);
        command.args(["--client", &connections.to_string(), "--transactions", &times.to_string()]);
        for script in scripts {
            command.arg("--file").arg(script);
        }
        let output = command.arg(url).stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && !said.contains("aborted"), "pgbench failed:\n{said}");
        Ok(())
    }
}

/// What every write of the service begins with. pgbench would take a colon for a variable.
fn begin() -> String {
    let now = Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
    format!(
        "BEGIN;\nSET LOCAL app.now = '{now}';\nSET LOCAL app.request_id = '{}';\n",
        Uuid::now_v7().simple()
    )
}

/// A statement with these for its parameters.
fn filled(statement: &str, values: &[&str]) -> String {
    let fill = |text: String, (number, value): (usize, &&str)| text.replace(&format!("${number}"), value);
    (1..).zip(values).fold(statement.trim_end().to_owned(), fill)
}

/// All of it in one flush.
fn in_transaction(statements: &str) -> String {
    format!("\\startpipeline\n{}{statements}\nCOMMIT;\n\\endpipeline\n", begin())
}

fn publish(organisation: Uuid) -> String {
    in_transaction(&format!(
        "SET LOCAL app.organisation_id = '{organisation}';
INSERT INTO events (id, kind, entity, entity_id, details)
VALUES (gen_random_uuid(), 'contact.created', 'contact', gen_random_uuid(), '{{}}');"
    ))
}

/// A claim, whose rows come as one so that pgbench can keep them, and their deletion one by one, in a
/// transaction each.
fn work() -> String {
    let mut script = begin();
    let claim = filled(CLAIM, &OF_CLAIM);
    let _ = writeln!(script, "WITH claimed AS (\n{claim}\n)\nSELECT");
    for number in 1..=SLOTS {
        for column in ["organisation_id", "id", "lease"] {
            let value = format!("coalesce((array_agg({column}))[{number}], '{}')", Uuid::nil());
            let comma = if number == SLOTS && column == "lease" { "" } else { "," };
            let _ = writeln!(script, "  {value} AS {column}_{number}{comma}");
        }
    }
    script.push_str("FROM claimed \\gset\nCOMMIT;\n");
    for number in 1..=SLOTS {
        script.push_str(&in_transaction(&format!(
            "DELETE FROM jobs WHERE organisation_id = :organisation_id_{number} \
             AND id = :id_{number} AND lease = :lease_{number};"
        )));
    }
    script
}
