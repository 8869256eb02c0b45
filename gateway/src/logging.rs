use tracing_subscriber::EnvFilter;

/// What is logged unless `TESSERA_LOG` says otherwise.
const DEFAULT: &str = "info";

/// Logs as JSON, one object a line, on standard error. `TESSERA_LOG` chooses levels, in the form
/// `warn,gateway=debug`. Panics are logged like everything else.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("TESSERA_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    // Refused only where logging was started before, and then it runs.
    let _ = subscriber.with_writer(std::io::stderr).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, %backtrace, "a panic: {message}");
    }));
}
