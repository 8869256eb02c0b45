//! One measurement of events, from the build to the table.

use std::path::Path;

use anyhow::{Context, Result};

use super::{
    ground, listeners, mutation,
    options::{EventsOptions, Part},
    outbox, pgbench,
    report::{self, Measured},
    task::{Task, What},
};
use crate::{
    cluster::PrivateCluster,
    flow::{on_cluster, say},
    processes,
};

/// Measures and prints.
pub(crate) async fn run(options: EventsOptions) -> Result<()> {
    options.check()?;
    on_cluster(options.gateway.as_deref(), async |gateway, folder, cluster| {
        Box::pin(measure(&options, gateway, folder, cluster)).await
    })
    .await
}

async fn measure(
    options: &EventsOptions,
    gateway: &Path,
    folder: &Path,
    cluster: &PrivateCluster,
) -> Result<()> {
    let mut environment = cluster.environment();
    processes::run_gateway(gateway, "provision", &environment).await?;
    processes::run_gateway(gateway, "migrate", &environment).await?;
    environment.push((ground::ADMIN_URL, cluster.admin_url()));
    environment.push((pgbench::FOLDER, folder.display().to_string()));
    let postmaster = cluster.postmaster().await?;
    let run = Run { options, environment, postmaster };
    let mut measured = Measured::default();
    if options.has(Part::Publish) {
        say("a write, with and without an event");
        let what = What::Publish { seconds: options.seconds, rounds: options.rounds };
        measured.publish = run.task(what).await?;
        measured.mutation = mutation::measure(options, gateway, folder, cluster).await?;
    }
    if options.has(Part::Listeners) {
        run.listeners(&mut measured).await?;
    }
    if options.has(Part::Outbox) {
        run.outbox(&mut measured).await?;
    }
    print!("{}", report::text(options, &measured));
    if let Some(file) = &options.json {
        let json = serde_json::to_vec_pretty(&measured)?;
        tokio::fs::write(file, json).await.with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

struct Run<'a> {
    options: &'a EventsOptions,
    environment: Vec<(&'static str, String)>,
    postmaster: u32,
}

impl Run<'_> {
    async fn task<T: serde::de::DeserializeOwned>(&self, what: What) -> Result<T> {
        Task { postmaster: self.postmaster, what }.elsewhere(&self.environment).await
    }

    async fn listeners(&self, measured: &mut Measured) -> Result<()> {
        let seconds = self.options.seconds;
        for _ in 0..self.options.rounds {
            for shape in listeners::Shape::ALL {
                say(&format!("listeners, {}", shape.name()));
                let service: listeners::Outcome = self.task(What::Listeners { seconds, shape }).await?;
                let floor: listeners::Outcome = self.task(What::Broadcast { seconds, shape }).await?;
                measured.listeners.push(report::Received { shape, service, floor });
            }
        }
        Ok(())
    }

    async fn outbox(&self, measured: &mut Measured) -> Result<()> {
        let events = self.options.events;
        for _ in 0..self.options.rounds {
            say("the outbox");
            let service: outbox::Outcome = self.task(What::Outbox { events }).await?;
            let floor: Option<pgbench::Outcome> = self.task(What::Pgbench { events }).await?;
            if floor.is_none() {
                say("PostgreSQL came without pgbench: nothing stands beside the outbox");
            }
            measured.outbox.push(report::Done { service, floor });
        }
        Ok(())
    }
}
