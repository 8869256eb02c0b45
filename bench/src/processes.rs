//! The other processes: the gateway's commands, the servers.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use hyper::StatusCode;
use tokio::process::Command;

use crate::{client::Connection, flow::say, options::Options, peer};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Variables of the gateway that this run sets.
pub(crate) type Environment = [(&'static str, String)];

/// Builds the release binary that is measured, and says where it is.
pub(crate) async fn build_gateway(binaries: &Path) -> Result<PathBuf> {
    say("building the gateway");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "-p", "gateway", "--bin", "gateway"]).kill_on_drop(true);
    if let Some(own_folder) = std::env::var_os("CARGO_MANIFEST_DIR") {
        build.current_dir(own_folder);
    }
    ensure!(build.status().await?.success(), "the gateway does not build");
    let binary = binaries.with_file_name("release").join("gateway");
    ensure!(binary.exists(), "{} is missing after the build", binary.display());
    Ok(binary)
}

/// Runs one of the gateway's commands to its end.
pub(crate) async fn run_gateway(gateway: &Path, command: &str, environment: &Environment) -> Result<()> {
    say(&format!("gateway {command}"));
    let output = Command::new(gateway)
        .arg(command)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", gateway.display()))?;
    ensure!(
        output.status.success(),
        "gateway {command} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A server under measurement, killed when this value goes.
pub(crate) struct Child {
    process: tokio::process::Child,
    name: &'static str,
    log: PathBuf,
    /// Its process id.
    pub(crate) id: u32,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Child {
    /// Starts the service and waits until it says that it is ready.
    pub(crate) async fn service(gateway: &Path, environment: &Environment, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(gateway);
        command.arg("serve").env("TESSERA_LISTEN", address.to_string());
        Self::start("service", command, environment, address, folder).await
    }

    /// Starts this program as the floor.
    pub(crate) async fn floor(options: &Options, environment: &Environment, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        let connections = options.connections.to_string();
        command.args(["floor", "--listen", &address.to_string(), "--connections", &connections, "--list"]);
        command.arg(options.floor_list.name());
        Self::start("floor", command, environment, address, folder).await
    }

    /// Starts PostGraphile, which must be installed.
    pub(crate) async fn peer(options: &Options, environment: &Environment, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = peer::command()?;
        command.env("LISTEN", address.to_string()).env("CONNECTIONS", options.connections.to_string());
        Self::start("peer", command, environment, address, folder).await
    }

    async fn start(
        name: &'static str,
        mut command: Command,
        environment: &Environment,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // A group of its own: Ctrl-C reaches this process alone, which then stops the others.
        let process = command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the {name}"))?;
        let id = process.id().with_context(|| format!("the {name} ended at once"))?;
        let mut child = Self { process, name, log, id, address };
        child.wait_until_ready().await?;
        Ok(child)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.process.try_wait()? {
                return self.complain(status).await;
            }
            if is_ready(self.address).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the {} was not ready after {} s", self.name, START_TIMEOUT.as_secs())
    }

    async fn complain(&self, status: ExitStatus) -> Result<()> {
        let log = tokio::fs::read_to_string(&self.log).await.unwrap_or_default();
        bail!("the {} ended with {status}:\n{log}", self.name)
    }

    /// Ends it; an end of its own before that is a failure.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            return self.complain(status).await;
        }
        Ok(self.process.kill().await?)
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let ask = async { Connection::open(address).await?.get("/readyz").await };
    matches!(ask.await, Ok(StatusCode::OK))
}

/// A loopback port that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
