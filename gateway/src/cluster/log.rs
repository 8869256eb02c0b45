//! The log file of PostgreSQL's programs.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{ClusterError, Doing};

/// A longer log is rotated at the next start.
const LONGEST_BYTES: u64 = 8 * 1024 * 1024;

/// How much of the log is read after a failure.
const READ_BYTES: u64 = 64 * 1024;

/// How many lines an error message shows.
const SHOWN_LINES: usize = 12;

/// The log, and the position at which the output of the latest program begins.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
    begin: u64,
}

impl Log {
    /// Opens the log, after rotating it if it is too long.
    pub(super) fn open(path: PathBuf) -> Log {
        if fs::metadata(&path).is_ok_and(|found| found.len() > LONGEST_BYTES) {
            // On failure the log just stays long.
            let _ = fs::rename(&path, path.with_extension("log.old"));
        }
        Log { path, begin: 0 }
    }

    /// Redirects the output of a command to the log. The command inherits the open file, so PostgreSQL's
    /// user needs no access to it.
    pub(super) fn take_output_of(&mut self, command: &mut Command) -> Result<(), ClusterError> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .doing("open", &self.path)?;
        self.begin = file.metadata().doing("read", &self.path)?.len();
        let second = file.try_clone().doing("open", &self.path)?;
        command.stdout(Stdio::from(file)).stderr(Stdio::from(second));
        Ok(())
    }

    /// The last lines the latest program wrote.
    pub(super) fn tail(&self) -> String {
        let text = read_end(&self.path, self.begin).unwrap_or_default();
        last_lines(&text)
    }
}

/// Reads the end of a file, starting at `begin` or later.
fn read_end(path: &Path, begin: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(begin.max(length.saturating_sub(READ_BYTES))))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last lines of a text, indented to stand out in a message.
fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(SHOWN_LINES);
    let shown: Vec<_> = lines.iter().skip(skipped).map(|line| format!("    {line}")).collect();
    if shown.is_empty() {
        return "    (nothing was logged)".to_owned();
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_shown() {
        let text: String = (1..=20).map(|line| format!("line {line}\n\n")).collect();
        let shown = last_lines(&text);
        assert!(shown.starts_with("    line 9\n"));
        assert!(shown.ends_with("    line 20"));
        assert_eq!(last_lines("\n"), "    (nothing was logged)");
    }
}
