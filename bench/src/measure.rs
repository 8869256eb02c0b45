//! What processes have used so far, from `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Linux shows times to programs in ticks of 1/100 s on all its common architectures, whatever its
/// own clock does.
const TICK: Duration = Duration::from_millis(10);

/// Processor time used so far, user and system together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// By the server under load.
    pub(crate) server: Duration,
    /// By PostgreSQL.
    pub(crate) postgres: Duration,
}

impl Used {
    /// Reads what both have used since they started.
    pub(crate) fn by(server: u32, postmaster: u32) -> Result<Self> {
        Ok(Self { server: with_children(server)?, postgres: with_children(postmaster)? })
    }
}

/// What a process, its threads and its children have used, those that ended included.
fn with_children(process: u32) -> Result<Duration> {
    let times = Times::of(process)?;
    let mut used = times.own + times.reaped;
    for child in children(process)? {
        // One that ended meanwhile counts as reaped the next time.
        used += Times::of(child).map(|times| times.own).unwrap_or_default();
    }
    Ok(used)
}

struct Times {
    parent: u32,
    own: Duration,
    reaped: Duration,
}

impl Times {
    fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&stat).with_context(|| format!("{path} has another form than expected: {stat}"))
    }

    /// See proc(5). The second field is the program's name in brackets, and may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse().ok().map(|ticks: u32| TICK * ticks);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            reaped: ticks(13)? + ticks(14)?,
        })
    }
}

fn children(parent: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if Times::of(id).is_ok_and(|times| times.parent == parent) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Lets the peak of a process's memory start anew from what it holds now; see proc(5).
pub(crate) fn forget_peak(process: u32) -> Result<()> {
    let path = format!("/proc/{process}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
}

/// The most memory a process has held at once, in MiB.
pub(crate) fn peak_memory(process: u32) -> Result<f64> {
    status(process, "VmHWM:")
}

/// What memory a process holds now, in MiB.
pub(crate) fn memory(process: u32) -> Result<f64> {
    status(process, "VmRSS:")
}

fn status(process: u32, field: &'static str) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)).context(field)?;
    let kibibytes: u32 = value.trim().trim_end_matches("kB").trim_end().parse()?;
    Ok(f64::from(kibibytes) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 100";
        let times = Times::parse(stat).unwrap();
        assert_eq!(times.parent, 3);
        assert_eq!(times.own, Duration::from_millis(300));
        assert_eq!(times.reaped, Duration::from_millis(700));
    }

    #[test]
    fn this_process_has_a_peak() {
        assert!(peak_memory(std::process::id()).unwrap() > 0.1);
    }
}
