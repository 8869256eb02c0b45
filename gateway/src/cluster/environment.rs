use std::ffi::OsString;

/// A variable of the environment, which may be empty.
#[expect(clippy::disallowed_methods, reason = "the one place that reads variables besides clap")]
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A variable of the environment that is unset if it is empty.
pub(super) fn setting(name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.is_empty())
}
