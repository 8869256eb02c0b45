//! One measurement from the build to the table.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    agreement,
    cluster::PrivateCluster,
    load, measure,
    options::Options,
    peer,
    processes::{self, Child},
    report::{self, Memory, Report},
    rounds::{self, Setting},
    sign_up,
    target::{Side, Target},
};

/// Measures and prints.
pub(crate) async fn run(options: Options) -> Result<()> {
    options.check()?;
    on_cluster(options.gateway.as_deref(), async |gateway, folder, cluster| {
        Box::pin(measure(&options, gateway, folder, cluster)).await
    })
    .await
}

/// Runs a measurement, given the gateway's binary, a folder and PostgreSQL; whatever happens,
/// PostgreSQL and all other children are stopped.
pub(crate) async fn on_cluster(
    gateway: Option<&Path>,
    measure: impl AsyncFnOnce(&Path, &Path, &PrivateCluster) -> Result<()>,
) -> Result<()> {
    let (mut interrupt, mut terminate) = signals()?;
    let binaries = binaries()?;
    let gateway = match gateway {
        Some(path) => path.to_owned(),
        None => tokio::select! {
            built = processes::build_gateway(&binaries) => built?,
            () = first(&mut interrupt, &mut terminate) => bail!("interrupted"),
        },
    };
    with_cluster(async |folder, cluster| measure(&gateway, folder, cluster).await).await
}

fn signals() -> Result<(Signal, Signal)> {
    Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
}

/// As [`on_cluster`], for a measurement that takes place in this process.
pub(crate) async fn with_cluster(
    measure: impl AsyncFnOnce(&Path, &PrivateCluster) -> Result<()>,
) -> Result<()> {
    let (mut interrupt, mut terminate) = signals()?;
    let binaries = binaries()?;
    let folder = binaries.with_file_name("bench");
    tokio::fs::create_dir_all(&folder).await.with_context(|| format!("cannot make {}", folder.display()))?;
    let cluster = PrivateCluster::start(folder.join("cluster")).await?;
    // Dropping the measurement kills its children.
    let outcome = tokio::select! {
        outcome = measure(&folder, &cluster) => outcome,
        () = first(&mut interrupt, &mut terminate) => Err(anyhow::anyhow!("interrupted")),
    };
    let stopped = cluster.stop().await;
    let outcome = outcome.with_context(|| format!("stopped; the servers' logs are in {}", folder.display()));
    outcome.and(stopped)
}

async fn first(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

/// Where this binary lies, and the gateway's beside it.
fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own place is unknown")?;
    own.parent().map(Path::to_owned).context("this program lies in no folder")
}

async fn measure(options: &Options, gateway: &Path, folder: &Path, cluster: &PrivateCluster) -> Result<()> {
    if options.peers {
        say("npm installs PostGraphile");
        peer::install().await?;
    }
    let mut environment = cluster.environment();
    environment.push(("TESSERA_WORKERS", options.workers.to_string()));
    processes::run_gateway(gateway, "provision", &environment).await?;
    processes::run_gateway(gateway, "migrate", &environment).await?;
    let mut service = Child::service(gateway, &environment, folder).await?;

    say(&format!("{} organisations sign up", options.organisations));
    let members = sign_up::sign_up(service.address, options.organisations).await?;
    let sign_up = measure::peak_memory(service.id)?;
    say(&format!("{} contacts each are loaded", options.contacts));
    let tenants = load::load(&cluster.admin_url(), members, options.contacts).await?;
    let mut floor = Child::floor(options, &environment, folder).await?;

    let mut peer = match options.peers {
        true => Some(Child::peer(options, &environment, folder).await?),
        false => None,
    };

    let mut targets = vec![Target::new(Side::Service, &service), Target::new(Side::Floor, &floor)];
    targets.extend(peer.as_ref().map(|peer| Target::new(Side::Postgraphile, peer)));
    for case in options.cases() {
        agreement::check(&targets, case, &tenants).await?;
    }
    say("all answer the same; measuring");
    measure::forget_peak(service.id)?;
    let setting =
        Setting { options, targets, tenants: Arc::from(tenants), postmaster: cluster.postmaster().await? };
    let rounds = rounds::run(&setting).await?;

    let memory = Memory {
        sign_up,
        service: measure::peak_memory(service.id)?,
        floor: measure::peak_memory(floor.id)?,
        peer: peer.as_ref().map(|peer| measure::peak_memory(peer.id)).transpose()?,
    };
    let report = Report::new(options, &rounds, memory);
    print!("{}", report::text(&report));
    if let Some(file) = &options.json {
        let json = serde_json::to_vec_pretty(&report::json(&report))?;
        tokio::fs::write(file, json).await.with_context(|| format!("cannot write {}", file.display()))?;
    }
    for child in [Some(&mut service), Some(&mut floor), peer.as_mut()].into_iter().flatten() {
        child.stop().await?;
    }
    Ok(())
}

/// Progress goes to standard error; the table alone is on standard output.
pub(crate) fn say(what: &str) {
    eprintln!("bench: {what}");
}
