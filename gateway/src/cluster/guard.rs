//! A watchdog that stops PostgreSQL's programs when this process ends.
//!
//! Each program has a watchdog: a shell whose standard input is a pipe from this process. When this
//! process ends, even by SIGKILL, the system closes the pipe, and the watchdog stops the program. The
//! program starts only once its watchdog runs.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::identity::Identity;

/// Waits for the pipe to close, then signals the program's process group. SIGINT is PostgreSQL's fast
/// shutdown, which rolls back and closes connections; it is repeated in case the program did not handle
/// signals yet. SIGQUIT, the immediate shutdown, is for a program that hangs.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
while read -r line; do :; done
tries=0
while kill -s INT -- "-$1"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 60 ]; then
        kill -s QUIT -- "-$1"
        exit
    fi
    sleep 1
done
"#;

/// How long a fast shutdown may take; it writes all changed pages to the disk.
const FAST_SHUTDOWN: Duration = Duration::from_secs(60);

/// How long an immediate shutdown may take.
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(10);

/// The interval for polling whether a process has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// A running program and its watchdog.
#[derive(Debug)]
pub(super) struct Guarded {
    child: Child,
    watchdog: Option<Child>,
    identity: Identity,
    ended: bool,
}

impl Guarded {
    /// Starts a program made by [`Identity::gated`], and its watchdog.
    pub(super) fn start(identity: &Identity, mut command: Command) -> io::Result<Guarded> {
        let child = command.process_group(0).spawn()?;
        // From here on, an early return drops the value, which stops the program.
        let mut guarded = Guarded { child, watchdog: None, identity: identity.clone(), ended: false };
        let watchdog =
            identity.shell(WATCHDOG).arg(guarded.pid().to_string()).stdin(Stdio::piped()).spawn()?;
        guarded.watchdog = Some(watchdog);
        // If this process is killed before this line, the program does not start at all.
        if let Some(gate) = &mut guarded.child.stdin {
            gate.write_all(b"\n")?;
        }
        Ok(guarded)
    }

    /// The program's process, which leads its process group.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program's standard input.
    pub(super) fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// How the program ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.ended = true;
            self.dismiss_watchdog();
        }
        Ok(status)
    }

    /// Waits for a program that ends by itself.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.ended = true;
        self.dismiss_watchdog();
        Ok(status)
    }

    /// Stops the program and waits for its end. Returns false if it does not stop.
    pub(super) fn stop(&mut self) -> bool {
        // The watchdog runs until the program has stopped, in case this process is killed.
        for (signal, patience) in [("INT", FAST_SHUTDOWN), ("QUIT", IMMEDIATE_SHUTDOWN)] {
            if !self.ended {
                self.identity.signal(signal, self.pid());
                wait_until(patience, || !matches!(self.ended(), Ok(None)));
            }
        }
        self.ended
    }

    /// Stops the watchdog once the program has ended.
    fn dismiss_watchdog(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            // Fails only if the watchdog has already ended.
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Polls a condition for a limited time; returns whether it became true.
pub(super) fn wait_until(patience: Duration, mut is_true: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if is_true() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_without_its_watchdog_does_not_begin() {
        let identity = Identity::find().unwrap();
        let folder = std::env::temp_dir().join(format!("tessera-gate-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        identity.own(&folder).unwrap();
        let touch = |name: &str| {
            let mut command = identity.gated("touch".as_ref());
            command.arg(folder.join(name));
            command
        };
        // As if this process had been killed between the two.
        let mut alone = touch("alone").spawn().unwrap();
        drop(alone.stdin.take());
        assert!(!alone.wait().unwrap().success());
        assert!(Guarded::start(&identity, touch("guarded")).unwrap().wait().unwrap().success());
        assert!(!folder.join("alone").exists() && folder.join("guarded").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
