//! The explorer: a page for writing queries, with a log-in and example queries.
//!
//! It is Altair, from the npm package in `explorer/package-lock.json`. `cargo run` installs the package
//! if npm is available, and the gateway serves its files; otherwise the page loads the same files from a
//! public CDN.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use axum::{Router, response::Html, routing::get};
use tower_http::services::ServeDir;

use crate::demo;

const PAGE: &str = include_str!("page.html");
/// The path of the package's files.
const SERVED: &str = "/explorer/";
/// The same files on a public CDN, in the version of `explorer/package-lock.json`.
const CDN: &str = "https://cdn.jsdelivr.net/npm/altair-static@8.5.9/build/dist/";

const CONTACTS: &str = "\
query Contacts {
  contacts(first: 10, orderBy: [{ name: ASC }]) {
    nodes {
      id
      kind
      name
      country
      company { name }
      people(first: 3) { nodes { name notes } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
";
const FIGURES: &str = "\
query Figures {
  productsAggregate(groupBy: { category: true }, orderBy: [{ avg: { margin: DESC } }]) {
    key { category }
    count
    avg { clientPrice margin }
  }
  contactsAggregate(groupBy: { country: true }, orderBy: [{ count: DESC }], first: 5) {
    key { country }
    count
  }
}
";
const CREATE: &str = "\
mutation AddContact {
  createContact(input: { contact: { kind: COMPANY, name: \"Lantern Bakery\", addresses: [{ city: \"Cork\", country: \"Ireland\" }] } }) {
    contact { id name revision }
    userErrors { code message field }
  }
}
";

/// `GET /` and the package's files. With the demo, the page logs in automatically.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(with_demo: bool) -> Router<S> {
    let files = files();
    let base = if is_installed(&files) { SERVED } else { CDN };
    let page = page(base, with_demo);
    Router::new()
        .route("/", get(move || async move { Html(page) }))
        .nest_service(SERVED.trim_end_matches('/'), ServeDir::new(files))
}

fn page(base: &str, with_demo: bool) -> String {
    let [(email, password, _), _] = demo::LOG_INS;
    let log_in = if with_demo {
        format!(
            "mutation {{ logIn(input: {{email: \"{email}\", password: \"{password}\"}}) {{ logIn {{ accessToken }} }} }}"
        )
    } else {
        String::new()
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    PAGE.replace("{{base}}", base)
        .replace("{{log_in}}", &quoted(&log_in))
        .replace("{{contacts}}", &quoted(CONTACTS))
        .replace("{{figures}}", &quoted(FIGURES))
        .replace("{{create}}", &quoted(CREATE))
}

/// `explorer/` of the source tree: the explorer is a development tool.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../explorer")
}

fn files() -> PathBuf {
    folder().join("node_modules/altair-static/build/dist")
}

fn is_installed(files: &Path) -> bool {
    files.join("main.js").is_file()
}

/// Installs the package if npm is available. Failure is not an error, because the page then uses the
/// CDN.
pub(crate) fn install() {
    if is_installed(&files()) || !folder().join("package-lock.json").is_file() {
        return;
    }
    let npm = Command::new("npm")
        .args([
            "ci",
            "--omit=dev",
            "--no-audit",
            "--no-fund",
            "--silent",
            "--fetch-retries=0",
            "--fetch-timeout=10000",
        ])
        .current_dir(folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match npm {
        Ok(status) if status.success() => tracing::info!("the explorer is installed"),
        outcome => tracing::info!(?outcome, "npm could not install the explorer; its page uses a public CDN"),
    }
}
