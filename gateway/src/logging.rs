use tracing_subscriber::EnvFilter;

/// The default of `TESSERA_LOG`.
const DEFAULT: &str = "info";

/// Logs JSON lines to standard error. `TESSERA_LOG` sets the levels, such as `warn,gateway=debug`.
/// Panics are logged as well.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("TESSERA_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    // Fails only if a subscriber is already installed, as in tests.
    let _ = subscriber.with_writer(std::io::stderr).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, %backtrace, "a panic: {message}");
    }));
}
