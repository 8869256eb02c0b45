use tracing_subscriber::EnvFilter;

/// What is logged unless `TESSERA_LOG` says otherwise.
const DEFAULT: &str = "info";

/// Logs as JSON, one object a line, on standard error. `TESSERA_LOG` chooses levels, in the form
/// `warn,gateway=debug`.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("TESSERA_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    // Refused only where logging was started before, and then it runs.
    let _ = subscriber.with_writer(std::io::stderr).try_init();
}
