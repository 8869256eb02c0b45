//! The private PostgreSQL of a measurement: all that this crate uses of `gateway::cluster`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use gateway::cluster::{Cluster, Settings, remove};
use tokio::task::spawn_blocking;
use tokio_postgres::NoTls;

const DATABASE: &str = "tessera_bench";

/// A fresh cluster, gone with its data at the end.
///
/// It does not wait for the disk (`fsync` off): a write would otherwise measure the disk of the
/// machine and not the work of the service.
pub(crate) struct PrivateCluster {
    cluster: Cluster,
    folder: PathBuf,
}

impl PrivateCluster {
    /// Starts it, over what an interrupted measurement may have left.
    pub(crate) async fn start(folder: PathBuf) -> Result<Self> {
        spawn_blocking(move || {
            remove(&folder)?;
            let settings = Settings { folder: folder.clone(), durable: false, wait: false };
            Ok(Self { cluster: Cluster::start(&settings)?, folder })
        })
        .await
        .context("starting PostgreSQL panicked")?
    }

    /// Stops it and deletes its data.
    pub(crate) async fn stop(self) -> Result<()> {
        spawn_blocking(move || {
            self.cluster.stop()?;
            Ok(remove(&self.folder)?)
        })
        .await
        .context("stopping PostgreSQL panicked")?
    }

    /// The superuser's address of the measured database.
    pub(crate) fn admin_url(&self) -> String {
        self.cluster.admin_url(DATABASE)
    }

    /// What the gateway's commands and the floor read from the environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let url = |user| self.cluster.url(user, DATABASE);
        vec![
            ("DATABASE_ADMIN_URL", self.cluster.admin_url("postgres")),
            ("DATABASE_URL", url("gateway")),
            ("DATABASE_SYSTEM_URL", url("gateway_system")),
            ("DATABASE_OWNER_URL", url("gateway_owner")),
            ("TESSERA_TOKEN_KEYS", "a key for measurements on loopback only".to_owned()),
        ]
    }

    /// The process that all of PostgreSQL's others are children of.
    pub(crate) async fn postmaster(&self) -> Result<u32> {
        let (client, connection) = tokio_postgres::connect(&self.admin_url(), NoTls).await?;
        tokio::spawn(connection);
        let row =
            client.query_one("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)", &[]).await?;
        let id: &str = row.try_get(0)?;
        id.trim().parse().context("postmaster.pid holds no process id")
    }
}
