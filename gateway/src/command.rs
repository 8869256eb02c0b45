//! The command line. Without a command, the gateway runs everything on this machine.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tenancy::{Clock, Settings};
use url::Url;

use crate::{
    Service,
    configuration::{Background, DatabaseLimits, DatabaseUrls, Keys, Listen, Mail, Run, Workers},
    demo, logging, run,
    service::listen,
};

/// Tessera: a multi-tenant GraphQL service. Without a command: creates a private PostgreSQL, migrates
/// it, loads demo data the first time, and serves.
#[derive(Parser)]
#[command(name = "gateway", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    workers: Workers,
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves an existing database, for production.
    Serve {
        #[command(flatten)]
        listen: Listen,
        #[command(flatten)]
        urls: DatabaseUrls,
        #[command(flatten)]
        limits: DatabaseLimits,
        #[command(flatten)]
        keys: Keys,
        #[command(flatten)]
        mail: Mail,
        #[command(flatten)]
        background: Background,
    },
    /// Runs the pending migrations, as the owner of the tables.
    Migrate {
        #[command(flatten)]
        urls: DatabaseUrls,
    },
    /// Creates the roles and the database as an administrator, or prints the SQL.
    Provision {
        #[command(flatten)]
        urls: DatabaseUrls,
        /// The URL of a PostgreSQL administrator.
        #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
        admin_url: Option<String>,
        /// Prints the SQL instead of running it. It contains the passwords of the URLs.
        #[arg(long)]
        print: bool,
    },
    /// Loads the demo organisations, unless they exist.
    Demo {
        #[command(flatten)]
        urls: DatabaseUrls,
    },
    /// Prints the schema as SDL.
    PrintSchema,
}

/// Runs the command line. An error is printed as one sentence on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = cli.workers.workers {
        runtime.worker_threads(workers.into());
    }
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    match runtime.block_on(execute(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn complain(error: &str) -> ExitCode {
    eprintln!("gateway: {error}");
    ExitCode::FAILURE
}

async fn execute(cli: Cli) -> Result<(), String> {
    match cli.command {
        None => run::run(cli.run).await,
        Some(Command::Serve { listen: at, urls, limits, keys, mail, background }) => {
            mail.check_complete()?;
            let addresses = urls.required()?;
            let keys = keys.parse()?.ok_or("TESSERA_TOKEN_KEYS is not set: it signs the access tokens")?;
            let (listener, address) = listen(&at.listen).await?;
            let reach = background.reach(false);
            let mail = mail.settings(address, None)?;
            let service = Service::open(
                &addresses,
                &limits.limits(),
                keys,
                Clock::system(),
                &mail,
                Settings::default().with(reach),
            )
            .await;
            let mut service = service.map_err(|error| error.to_string())?.with_lease(background.lease());
            service.works = !background.no_work;
            let stop = run::asked_to_stop()?;
            tracing::info!(%address, "listening");
            service.serve(listener, stop).await.map_err(|error| error.to_string())
        }
        Some(Command::Migrate { urls }) => {
            for version in
                tenancy::migrate(&urls.required()?.owner).await.map_err(|error| error.to_string())?
            {
                println!("migrated {version}");
            }
            Ok(())
        }
        Some(Command::Provision { urls, admin_url, print }) => provision(&urls, admin_url, print).await,
        Some(Command::Demo { urls }) => demo::load_into(&urls.required()?).await,
        Some(Command::PrintSchema) => {
            print!("{}", crate::sdl());
            Ok(())
        }
    }
}

async fn provision(urls: &DatabaseUrls, admin_url: Option<String>, print: bool) -> Result<(), String> {
    let addresses = urls.required()?;
    if print {
        let [roles, database] = tenancy::provision_sql(&addresses).map_err(|error| error.to_string())?;
        println!("{roles}{database};");
        return Ok(());
    }
    let admin =
        admin_url.ok_or("DATABASE_ADMIN_URL is not set: a role that may create roles; or use --print")?;
    let admin = Url::parse(&admin).map_err(|error| format!("DATABASE_ADMIN_URL is not an URL: {error}"))?;
    tenancy::provision(&admin, &addresses).await.map_err(|error| error.to_string())
}
