//! The private PostgreSQL of the tests.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
};

use gateway::cluster::{Cluster, Settings, major_version};
use sha2::{Digest, Sha256};
use tenancy::Addresses;
use tokio::runtime::Runtime;
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
        superuser("postgres").await.batch_execute(&without(&name)).await.unwrap();
        gateway::provisioned(&self.cluster, &name).await.unwrap()
    }

    /// A new database of a test's own: migrated, as a copy of one that is migrated once.
    pub(crate) async fn migrated_database(&self, name: &str) -> Addresses {
        let name = format!("own_{name}");
        superuser("postgres").await.batch_execute(&without(&name)).await.unwrap();
        self.copied(&name).await
    }

    /// The database of this name; a copy of the template if it is not there.
    async fn copied(&self, name: &str) -> Addresses {
        let Template { name: template, owner } = template();
        let superuser = superuser("postgres").await;
        if !exists(&superuser, name).await {
            let copy = format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}");
            superuser.batch_execute(&copy).await.unwrap();
            // A copy has none of the rights on the database itself.
            let revoke = format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC");
            superuser.batch_execute(&revoke).await.unwrap();
        }
        gateway::provisioned(&self.cluster, name).await.unwrap()
    }
}

fn without(database: &str) -> String {
    format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")
}

async fn exists(superuser: &Client, database: &str) -> bool {
    let found = "SELECT FROM pg_database WHERE datname = $1";
    superuser.query_opt(found, &[&database]).await.unwrap().is_some()
}

/// A migrated database that nobody connects to.
struct Template {
    name: String,
    owner: String,
}

/// The template; made by the test that asks first, and kept as long as the migrations stay the same.
fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        // Migrating blocks a thread, which a test's own runtime may not have.
        thread::spawn(|| Runtime::new().unwrap().block_on(make_template())).join().unwrap()
    })
}

async fn make_template() -> Template {
    let name = format!("template_{}", migrations_hash());
    let superuser = superuser("postgres").await;
    sweep(&superuser, "template", &name).await;
    let owner = |addresses: &Addresses| addresses.owner.username().to_owned();
    if exists(&superuser, &name).await {
        let addresses = gateway::provisioned(&postgres().cluster, &name).await.unwrap();
        return Template { name, owner: owner(&addresses) };
    }
    // Under another name until it is whole: a run may be killed.
    let half_made = "half_made";
    superuser.batch_execute(&without(half_made)).await.unwrap();
    let addresses = gateway::provisioned(&postgres().cluster, half_made).await.unwrap();
    tenancy::migrate(&addresses.owner).await.unwrap();
    let close = format!("ALTER DATABASE {half_made} ALLOW_CONNECTIONS false");
    superuser.batch_execute(&close).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
    superuser.query(end, &[&half_made]).await.unwrap();
    superuser.batch_execute(&format!("ALTER DATABASE {half_made} RENAME TO {name}")).await.unwrap();
    Template { name, owner: owner(&addresses) }
}

/// Drops the databases that are called after other migrations.
async fn sweep(superuser: &Client, kind: &str, current: &str) {
    let others = "SELECT datname FROM pg_database WHERE datname LIKE $1 || '\\_%' AND datname <> $2";
    for row in superuser.query(others, &[&kind, &current]).await.unwrap() {
        superuser.batch_execute(&without(row.get(0))).await.unwrap();
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
    sweep(&superuser("postgres").await, "shared", &name).await;
    postgres().copied(&name).await
}

/// The files of the migrations.
pub(crate) fn migrations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("up.sql")).collect()
}

fn migrations_hash() -> String {
    hash_of(migrations())
}

/// A short hash of what these files hold.
pub(crate) fn hash_of(mut files: Vec<PathBuf>) -> String {
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).unwrap());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
