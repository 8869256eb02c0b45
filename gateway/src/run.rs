//! `cargo run`: everything on this machine, without any set-up.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use domain_identity::TokenKeys;
use tenancy::{Addresses, Clock};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::{
    Service,
    cluster::{self, Cluster, Settings},
    configuration::Run,
    demo, explorer,
    service::listen,
};

const DATABASE: &str = "tessera";
const TOKEN_KEY: &str = "token-key";
const LOGIN: &str = "gateway";
const MAIL: &str = "mail";

/// Creates what is missing, serves, and stops the processes it started.
pub(crate) async fn run(options: Run) -> Result<(), String> {
    // First, so that a port in use is reported before anything is created.
    let (listener, address) = listen(&options.listen.listen).await?;
    let folder = options.data.data_dir.clone();
    if options.reset && options.urls.database_url.is_some() {
        return Err("--reset deletes the private PostgreSQL, but DATABASE_URL names another: leave one out"
            .to_owned());
    }
    if options.reset {
        let folder = folder.clone();
        blocking(move || {
            reset(&folder)?;
            println!("Deleted the data in {}.", folder.display());
            Ok(())
        })
        .await?;
    }
    let (addresses, cluster) = match options.urls.addresses()? {
        Some(addresses) => (addresses, None),
        None => {
            let (addresses, cluster) = private_cluster(folder.clone()).await?;
            (addresses, Some(cluster))
        }
    };
    let keys = match options.keys.parse()? {
        Some(keys) => keys,
        None => own_keys(&folder)?,
    };
    let outcome = async {
        tenancy::migrate(&addresses.owner).await.map_err(|error| error.to_string())?;
        let limits = options.limits.limits();
        options.mail.check_complete()?;
        // With a private database, all traffic stays on this machine.
        let reach = options.background.reach(cluster.is_some());
        let mail = options.mail.settings(address, Some(folder.join(MAIL)))?;
        let service = Service::open(
            &addresses,
            &limits,
            keys,
            Clock::system(),
            &mail,
            tenancy::Settings::default().with(reach),
        )
        .await;
        let mut service = service.map_err(|error| error.to_string())?.with_lease(options.background.lease());
        service.works = !options.background.no_work;
        // Only into the private database: the passwords of the demo are public.
        if cluster.is_some() {
            demo::load(&service).await?;
            service.with_demo = true;
        }
        blocking(|| {
            explorer::install();
            Ok(())
        })
        .await?;
        let stop = asked_to_stop()?;
        greet(&address.to_string(), service.with_demo);
        service.serve(listener, stop).await.map_err(|error| error.to_string())
    };
    let outcome = outcome.await;
    if let Some(cluster) = cluster {
        blocking(move || cluster.stop().map_err(|error| error.to_string())).await?;
        println!("Stopped; the data stays in {}.", folder.display());
    }
    outcome
}

/// Deletes only the files that earlier runs created in the folder.
fn reset(folder: &Path) -> Result<(), String> {
    // First, because this fails if another process uses the folder: the key is deleted only together
    // with the data.
    cluster::remove(folder).map_err(|error| error.to_string())?;
    for removed in [fs::remove_file(folder.join(TOKEN_KEY)), fs::remove_dir_all(folder.join(MAIL))] {
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
    }
    Ok(())
}

/// Starts the private PostgreSQL, with its roles and its database.
async fn private_cluster(folder: PathBuf) -> Result<(Addresses, Cluster), String> {
    let settings = Settings { folder, durable: true, wait: false };
    let cluster = blocking(move || Cluster::start(&settings).map_err(|error| error.to_string())).await?;
    let addresses = provisioned(&cluster, DATABASE).await?;
    Ok((addresses, cluster))
}

/// Creates the roles and a database in a private PostgreSQL, where they are missing.
///
/// # Errors
/// PostgreSQL's error, as a sentence.
pub async fn provisioned(cluster: &Cluster, database: &str) -> Result<Addresses, String> {
    let addresses =
        Addresses::parse(&cluster.url(LOGIN, database), None, None).map_err(|error| error.to_string())?;
    let admin = Url::parse(&cluster.admin_url("postgres")).map_err(|error| error.to_string())?;
    tenancy::provision(&admin, &addresses).await.map_err(|error| error.to_string())?;
    Ok(addresses)
}

/// The token key of this data folder, so that access tokens stay valid after a restart.
fn own_keys(folder: &Path) -> Result<TokenKeys, String> {
    let path = folder.join(TOKEN_KEY);
    let failed = |error: std::io::Error| format!("cannot keep the token key in {}: {error}", path.display());
    let key = match fs::read_to_string(&path) {
        Ok(key) => key,
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Err(_) => {
            let key = BASE64_STANDARD_NO_PAD.encode(rand::random::<[u8; 48]>());
            fs::create_dir_all(folder).map_err(failed)?;
            write_secret(&path, &key).map_err(failed)?;
            key
        }
    };
    TokenKeys::parse(&key)
        .map_err(|error| format!("{}: {error}; delete the file for a new one", path.display()))
}

fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

/// Installs the signal handlers at once; the returned future is ready after Ctrl-C or SIGTERM.
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()> + Send + 'static, String> {
    let hear = |kind| signal(kind).map_err(|error| format!("signals cannot be heard: {error}"));
    let (mut interrupt, mut terminate) = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}

fn greet(address: &str, with_demo: bool) {
    println!(
        "\nTessera is ready.\n\n  Explorer    http://{address}/\n  GraphQL     http://{address}/graphql\n"
    );
    if with_demo {
        greet_with_demo(address);
    }
    println!("Ctrl-C stops everything this command started.");
}

fn greet_with_demo(address: &str) {
    println!("  Demo log-ins (two organisations that cannot see each other)");
    for (email, password, organisation) in demo::LOG_INS {
        println!("    {email:<24} {password:<16} {organisation}");
    }
    let [(email, password, _), _] = demo::LOG_INS;
    let query = format!(
        r#"{{"query":"mutation {{ logIn(input: {{email: \"{email}\", password: \"{password}\"}}) {{ logIn {{ accessToken user {{ name }} organisation {{ name }} }} }} }}"}}"#
    );
    println!("\n  Try it:");
    println!("    curl -s http://{address}/graphql -H 'content-type: application/json' -d '{query}'\n");
    println!("The data stays from one run to the next; `cargo run -- --reset` starts over.");
}
