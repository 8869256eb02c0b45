use diesel::{
    migration::{Migration, MigrationSource, MigrationVersion},
    pg::Pg,
};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;
use url::Url;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");
/// The key of the advisory lock: an arbitrary number that no other code uses. Gateways that start at
/// the same time migrate one after the other.
const LOCK: i64 = 0x0074_6573_7365_7261;

/// Why the migration failed.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The owner cannot log in.
    #[error("the owner's address (DATABASE_OWNER_URL) does not answer: {0}")]
    Unreachable(#[from] diesel::ConnectionError),
    /// A migration failed; earlier ones stay applied.
    #[error("a migration failed: {0}")]
    Failed(String),
}

/// The versions of all embedded migrations.
pub(crate) fn known_versions() -> Vec<String> {
    let known: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().unwrap_or_default();
    known.iter().map(|migration| migration.name().version().to_string()).collect()
}

/// Runs the pending migrations as the owner of the tables, and returns their versions.
///
/// Needs tokio's multi-threaded runtime, because diesel's migrations block.
///
/// # Errors
/// The owner cannot log in, or a migration fails.
pub async fn migrate(owner: &Url) -> Result<Vec<String>, MigrationError> {
    let mut connection = AsyncPgConnection::establish(owner.as_str()).await?;
    let failed = |error: diesel::result::Error| MigrationError::Failed(error.to_string());
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.map_err(failed)?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let run = harness
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(|version: &MigrationVersion<'_>| version.to_string()).collect());
    // Closing the connection releases the lock.
    run.map_err(|error| MigrationError::Failed(error.to_string()))
}
