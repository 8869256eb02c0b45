//! The data folder of a gateway that has loaded the demo and was stopped: made once, and copied by the
//! tests that are about something else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use gateway::cluster::{major_version, remove};

use super::process::Gateway;
use crate::{
    cluster::Temporary,
    harness::{hash_of, migrations},
};

/// How the names of these folders begin.
const READY: &str = "ready-demo-";

/// A folder in which the demo is loaded already. Where it cannot be copied, the first start loads it.
pub(super) fn loaded(name: &str) -> Temporary {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(current_name());
        if !folder.exists() {
            make(&folder);
        }
        folder
    });
    let temporary = Temporary::new(name);
    if folder.exists() {
        // With the owners of its files: PostgreSQL may run as another user.
        let copied = Command::new("cp").arg("-a").arg(folder).arg(temporary.data_dir()).status();
        assert!(copied.unwrap().success());
    }
    temporary
}

/// Named by everything that decides what is in it.
fn current_name() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let demo = fs::read_dir(root.join("demo")).unwrap().map(|entry| entry.unwrap().path());
    let files = migrations().into_iter().chain(demo).chain([root.join("gateway/src/demo.rs")]);
    format!("{READY}{}-{}", major_version().unwrap(), hash_of(files.collect()))
}

fn make(folder: &Path) {
    for other in fs::read_dir(env!("CARGO_TARGET_TMPDIR")).unwrap().map(|entry| entry.unwrap()) {
        if other.file_name().to_string_lossy().starts_with(READY) {
            remove(&other.path()).unwrap();
            // What is not PostgreSQL's.
            let _ = fs::remove_dir_all(other.path());
        }
    }
    let temporary = Temporary::new("loading");
    Gateway::run(&temporary, &[]).stopped();
    // Else its files are where PostgreSQL's user can reach them, and known by the folder's own path.
    if temporary.place() == temporary.data_dir() {
        fs::rename(temporary.data_dir(), folder).unwrap();
    }
}
