use diesel::{
    migration::{Migration, MigrationSource, MigrationVersion},
    pg::Pg,
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;
use url::Url;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");
/// Any number, as long as nobody else locks it: two gateways that start at once migrate in turn.
const LOCK: i64 = 0x0074_6573_7365_7261;

/// Why the database could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The owner cannot log in.
    #[error("the owner's address (DATABASE_OWNER_URL) does not answer: {0}")]
    Unreachable(#[from] diesel::ConnectionError),
    /// A migration failed; those before it stand.
    #[error("a migration failed: {0}")]
    Failed(String),
}

/// The versions of all migrations that this program knows.
pub(crate) fn known_versions() -> Vec<String> {
    let known: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().unwrap_or_default();
    known.iter().map(|migration| migration.name().version().to_string()).collect()
}

/// Brings the database up to date, as the plain owner of its tables, and answers what was run.
///
/// Needs tokio's multi-threaded runtime: diesel's migrations block.
///
/// # Errors
/// An owner that cannot log in, or a migration that fails.
pub async fn migrate(owner: &Url) -> Result<Vec<String>, MigrationError> {
    let mut connection = AsyncPgConnection::establish(owner.as_str()).await?;
    let failed = |error: diesel::result::Error| MigrationError::Failed(error.to_string());
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.map_err(failed)?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let run = harness
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(|version: &MigrationVersion<'_>| version.to_string()).collect());
    // The lock goes with the connection.
    run.map_err(|error| MigrationError::Failed(error.to_string()))
}
