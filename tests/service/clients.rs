//! Real GraphQL clients, installed in `tests/clients`: code generators, a linter and a comparison of
//! schemas read `schema.graphql`; Apollo Client and urql ask the running server.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::harness::{PASSWORD, organisation, unique_email};

/// Writes past the test's captured output, so that a skipped test and a figure are seen.
fn say(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Where the clients are, if they are installed.
pub(crate) fn folder(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    if folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    say(&format!("skipped: {test} (npm ci --prefix tests/clients)\n"));
    None
}

/// Runs a command in the clients' folder, and answers what it printed; fails where it fails.
fn run(folder: &Path, command: &mut Command) -> String {
    let output = command.current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}\n{said}{errors}\nIs tests/clients installed as its lock file says? (npm ci --prefix tests/clients)"
    );
    said
}

/// Runs a script of `package.json`.
fn script(folder: &Path, name: &str) -> String {
    run(folder, Command::new("npm").args(["run", "--silent", name]))
}

/// Generates the types of all operations and compiles what uses them, once for all tests.
fn compiled(folder: &Path) -> &'static str {
    static COMPILED: OnceLock<String> = OnceLock::new();
    COMPILED.get_or_init(|| {
        script(folder, "generate");
        script(folder, "types")
    })
}

/// Runs a compiled program against the server, with a new organisation.
async fn program(name: &str) {
    let Some(folder) = folder(name) else { return };
    compiled(&folder);
    let admin = organisation().await;
    let staff = unique_email();
    admin.hire(&staff, "Colleague", &["STAFF"]).await;
    let mut command = Command::new("node");
    command
        // Apollo's warnings are in its development build alone.
        .args(["--conditions=development", &format!("generated/js/programs/{name}.js")])
        .env("TESSERA_URL", &admin.url)
        .env("TESSERA_ADMIN", admin.log_in["user"]["email"].as_str().unwrap())
        .env("TESSERA_STAFF", staff)
        .env("TESSERA_PASSWORD", PASSWORD);
    run(&folder, &mut command);
}

#[test]
fn a_dashboards_operations_have_types_without_any_and_without_nulls_that_only_errors_make() {
    let Some(folder) = folder("types of operations") else { return };
    say(compiled(&folder));
}

#[test]
fn schema_and_operations_pass_graphql_eslint() {
    let Some(folder) = folder("graphql-eslint") else { return };
    script(&folder, "lint");
}

#[test]
fn a_change_of_the_schema_that_breaks_clients_is_accepted_with_a_reason() {
    let Some(folder) = folder("changes of the schema") else { return };
    say(&script(&folder, "changes"));
}

#[tokio::test]
async fn every_operation_of_a_dashboard_is_answered_without_errors() {
    program("operations").await;
}

#[tokio::test]
async fn apollo_client_caches_pages_mutates_and_refreshes() {
    program("apollo").await;
}

#[tokio::test]
async fn urql_with_graphcache_caches_pages_mutates_and_refreshes() {
    program("urql").await;
}
