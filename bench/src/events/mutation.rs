//! The whole mutation that publishes: `create` of the other measurement, by a gateway that leaves
//! the background work to others and by one that does it, in turns.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use clap::Parser;
use serde::Serialize;
use tokio_postgres::NoTls;

use super::{ground::forget, options::EventsOptions};
use crate::{
    cluster::PrivateCluster,
    flow::say,
    load,
    options::{Arguments, Options},
    processes::Child,
    rounds::{self, Setting},
    sign_up,
    target::{Side, Target, Tenant},
};

/// Loaded contacts of each organisation: `create` does not look at them.
const CONTACTS: u32 = 200;

/// Microseconds of one mutation, by the gateway and PostgreSQL together.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Turn {
    /// By a gateway that only reads what is new.
    pub(crate) reads_us: f64,
    /// By one that dispatches as well.
    pub(crate) works_us: f64,
}

/// Measures both in turns.
pub(crate) async fn measure(
    options: &EventsOptions,
    gateway: &Path,
    folder: &Path,
    cluster: &PrivateCluster,
) -> Result<Vec<Turn>> {
    let seconds = options.seconds.to_string();
    let asked = ["bench", "--case", "create", "--rounds", "1", "--seconds", &seconds];
    let create = Arguments::try_parse_from(asked)?.options;
    let tenants = tenants(&create, gateway, folder, cluster).await?;
    let mut turns = vec![];
    for _ in 0..options.rounds {
        let reads_us = one(&create, gateway, folder, cluster, &tenants, false).await?;
        let works_us = one(&create, gateway, folder, cluster, &tenants, true).await?;
        turns.push(Turn { reads_us, works_us });
    }
    Ok(turns)
}

async fn tenants(
    create: &Options,
    gateway: &Path,
    folder: &Path,
    cluster: &PrivateCluster,
) -> Result<Arc<[Tenant]>> {
    say(&format!("{} organisations sign up", create.organisations));
    let mut service = Child::service(gateway, &cluster.environment(), folder).await?;
    let members = sign_up::sign_up(service.address, create.organisations).await?;
    service.stop().await?;
    Ok(load::load(&cluster.admin_url(), members, CONTACTS).await?.into())
}

async fn one(
    create: &Options,
    gateway: &Path,
    folder: &Path,
    cluster: &PrivateCluster,
    tenants: &Arc<[Tenant]>,
    works: bool,
) -> Result<f64> {
    let (admin, connection) = tokio_postgres::connect(&cluster.admin_url(), NoTls).await?;
    tokio::spawn(connection);
    forget(&admin).await?;
    let mut environment = cluster.environment();
    environment.push(("TESSERA_WORKERS", create.workers.to_string()));
    environment.push(("TESSERA_NO_WORK", (!works).to_string()));
    let mut service = Child::service(gateway, &environment, folder).await?;
    let setting = Setting {
        options: create,
        targets: vec![Target::new(Side::Service, &service)],
        tenants: Arc::clone(tenants),
        postmaster: cluster.postmaster().await?,
    };
    let round = rounds::run(&setting).await?.pop().context("no round")?;
    service.stop().await?;
    Ok(round.together_us)
}
