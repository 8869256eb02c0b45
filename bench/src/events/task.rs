//! What runs in a process of its own: told by an argument, answered on standard output, in JSON.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::process::Command;

use super::{
    broadcast,
    listeners::{self, Shape},
    outbox, pgbench, publish,
};

/// One part of the measurement.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Task {
    /// PostgreSQL's first process.
    pub(crate) postmaster: u32,
    /// What to measure.
    pub(crate) what: What,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum What {
    /// Writes with and without an event.
    Publish { seconds: u64, rounds: usize },
    /// The service's listeners.
    Listeners { seconds: u64, shape: Shape },
    /// As many receivers of a bare broadcast.
    Broadcast { seconds: u64, shape: Shape },
    /// From events to jobs that are done.
    Outbox { events: u32 },
    /// The same statements from pgbench.
    Pgbench { events: u32 },
}

/// Does it, in this process.
pub(crate) async fn run(task: &str) -> Result<()> {
    let Task { postmaster, what } = serde_json::from_str(task)?;
    let answer = match what {
        What::Publish { seconds, rounds } => {
            serde_json::to_string(&Box::pin(publish::measure(postmaster, seconds, rounds)).await?)
        }
        What::Listeners { seconds, shape } => {
            serde_json::to_string(&Box::pin(listeners::measure(postmaster, seconds, shape)).await?)
        }
        What::Broadcast { seconds, shape } => {
            serde_json::to_string(&Box::pin(broadcast::measure(postmaster, seconds, shape)).await?)
        }
        What::Outbox { events } => {
            serde_json::to_string(&Box::pin(outbox::measure(postmaster, events)).await?)
        }
        What::Pgbench { events } => {
            serde_json::to_string(&Box::pin(pgbench::measure(postmaster, events)).await?)
        }
    };
    println!("{}", answer?);
    Ok(())
}

impl Task {
    /// Has it done by another process.
    pub(crate) async fn elsewhere<T: DeserializeOwned>(
        &self,
        environment: &[(&'static str, String)],
    ) -> Result<T> {
        let output = Command::new(std::env::current_exe()?)
            .arg("events-task")
            .arg(serde_json::to_string(self)?)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "a part of the measurement ended with {}:\n{said}", output.status);
        serde_json::from_slice(&output.stdout).context("an answer of another form than expected")
    }
}
