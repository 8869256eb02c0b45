//! The private PostgreSQL of the tests.

use std::{fs, path::Path, sync::OnceLock};

use gateway::cluster::{Cluster, Settings, major_version};
use sha2::{Digest, Sha256};
use tenancy::Addresses;
use tokio_postgres::{Client, NoTls};

/// The running PostgreSQL. It stops when this process ends, however it ends.
pub(crate) struct Postgres {
    pub(crate) cluster: Cluster,
}

/// The private PostgreSQL, in `target/`; a second test process waits for its turn. Each major
/// version has a folder of its own, because none can read another's.
pub(crate) fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        let name = format!("postgres-{}", major_version().unwrap());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let cluster = Cluster::start(&Settings { folder, durable: false, wait: true }).unwrap();
        Postgres { cluster }
    })
}

impl Postgres {
    /// A new database of a test's own: provisioned, not migrated.
    pub(crate) async fn empty_database(&self, name: &str) -> Addresses {
        let name = format!("own_{name}");
        let superuser = superuser("postgres").await;
        superuser.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        gateway::provisioned(&self.cluster, &name).await.unwrap()
    }
}

/// A superuser's connection, to look behind the scenes.
pub(crate) async fn superuser(database: &str) -> Client {
    connect(&postgres().cluster.admin_url(database)).await
}

/// A plain connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The migrated database that most tests share. Its name is the hash of the migrations, so that it
/// outlives runs as long as they stay the same; databases of other hashes are swept.
pub(super) async fn migrated() -> Addresses {
    let name = format!("shared_{}", migrations_hash());
    let superuser = superuser("postgres").await;
    let others = "SELECT datname FROM pg_database WHERE datname LIKE 'shared\\_%' AND datname <> $1";
    for row in superuser.query(others, &[&name]).await.unwrap() {
        let other: String = row.get(0);
        superuser.batch_execute(&format!("DROP DATABASE {other} WITH (FORCE)")).await.unwrap();
    }
    let addresses = gateway::provisioned(&postgres().cluster, &name).await.unwrap();
    tenancy::migrate(&addresses.owner).await.unwrap();
    addresses
}

fn migrations_hash() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("up.sql")).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).unwrap());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
