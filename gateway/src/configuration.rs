//! The settings. Each is an environment variable and a flag.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use domain_identity::TokenKeys;
use events::{mail::MailSettings, webhook::Reach};
use tenancy::{Addresses, Limits};
use url::Url;

/// The settings of `cargo run`.
#[derive(Args)]
pub(crate) struct Run {
    /// Deletes the private PostgreSQL first, and starts over.
    #[arg(long)]
    pub(crate) reset: bool,
    #[command(flatten)]
    pub(crate) listen: Listen,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) urls: DatabaseUrls,
    #[command(flatten)]
    pub(crate) limits: DatabaseLimits,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) mail: Mail,
    #[command(flatten)]
    pub(crate) background: Background,
}

/// The worker threads.
#[derive(Args, Clone, Debug)]
pub struct Workers {
    /// The number of worker threads; by default the number of cores. Fewer can be better if PostgreSQL
    /// runs on the same machine.
    #[arg(long, env = "TESSERA_WORKERS", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
}

/// Where the service listens.
#[derive(Args, Clone, Debug)]
pub struct Listen {
    /// The address and port to listen on; port 0 chooses a free port.
    #[arg(long, env = "TESSERA_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
}

/// Where the private PostgreSQL of `cargo run` keeps its data.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The folder of the private PostgreSQL; unused if DATABASE_URL is set.
    #[arg(long, env = "TESSERA_DATA_DIR", default_value = ".data")]
    pub data_dir: PathBuf,
}

/// The URLs of PostgreSQL, one for each role.
#[derive(Args, Clone, Debug)]
pub struct DatabaseUrls {
    /// The URL of a member of tessera_app, for all tenant work.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The URL of a member of tessera_system; by default DATABASE_URL with `_system` appended to the user.
    #[arg(long, env = "DATABASE_SYSTEM_URL", hide_env_values = true)]
    pub database_system_url: Option<String>,
    /// The URL of the owner of the tables; by default DATABASE_URL with `_owner` appended to the user.
    #[arg(long, env = "DATABASE_OWNER_URL", hide_env_values = true)]
    pub database_owner_url: Option<String>,
}

impl DatabaseUrls {
    /// The three URLs, if the first is set.
    ///
    /// # Errors
    /// A URL is invalid.
    pub fn addresses(&self) -> Result<Option<Addresses>, String> {
        let Some(app) = &self.database_url else { return Ok(None) };
        Addresses::parse(app, self.database_system_url.as_deref(), self.database_owner_url.as_deref())
            .map(Some)
            .map_err(|error| error.to_string())
    }

    /// The three URLs.
    ///
    /// # Errors
    /// DATABASE_URL is not set, or a URL is invalid.
    pub fn required(&self) -> Result<Addresses, String> {
        self.addresses()?.ok_or_else(|| "DATABASE_URL is not set: it says which PostgreSQL to use".to_owned())
    }
}

/// Limits for the use of PostgreSQL.
#[derive(Args, Clone, Debug)]
pub struct DatabaseLimits {
    /// The maximum number of connections for tenant work.
    #[arg(long, env = "TESSERA_DATABASE_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub database_connections: u16,
    /// The time limit of a statement, in milliseconds.
    #[arg(long, env = "TESSERA_STATEMENT_TIMEOUT_MS", default_value_t = 10_000)]
    pub statement_timeout_ms: u64,
}

impl DatabaseLimits {
    /// The limits for the tenancy crate.
    pub fn limits(&self) -> Limits {
        Limits {
            connections: self.database_connections.into(),
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            ..Limits::default()
        }
    }
}

/// The background work of this gateway.
#[derive(Args, Clone, Debug)]
pub struct Background {
    /// Leaves background work (mail, webhooks, schedules) to other gateways.
    #[arg(long, env = "TESSERA_NO_WORK")]
    pub no_work: bool,
    /// Whether webhooks may go to loopback addresses, also without TLS. Without a command they may, unless
    /// this is false.
    #[arg(long, env = "TESSERA_LOOPBACK_WEBHOOKS", num_args = 0..=1, default_missing_value = "true")]
    pub loopback_webhooks: Option<bool>,
    /// The lease of a background job in seconds: after this time, another gateway may claim a job that
    /// has not finished. Set the same lease for all gateways. A job may run for three quarters of it,
    /// and a webhook takes up to 15 seconds.
    #[arg(long, env = "TESSERA_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    pub lease_seconds: u16,
}

impl Background {
    /// The addresses that webhooks may reach; `unless_told` says whether loopback is among them otherwise.
    pub fn reach(&self, unless_told: bool) -> Reach {
        if self.loopback_webhooks.unwrap_or(unless_told) { Reach::WithLoopback } else { Reach::Public }
    }

    /// The lease of background jobs.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds.into())
    }
}

/// The keys that sign access tokens.
#[derive(Args, Clone, Debug)]
pub struct Keys {
    /// One or more secrets of at least 32 bytes, separated by commas: the first signs, all verify.
    #[arg(long, env = "TESSERA_TOKEN_KEYS", hide_env_values = true)]
    pub token_keys: Option<String>,
}

impl Keys {
    /// The keys, if they are set.
    ///
    /// # Errors
    /// A key is too short.
    pub fn parse(&self) -> Result<Option<TokenKeys>, String> {
        let keys = self.token_keys.as_deref().map(TokenKeys::parse).transpose();
        keys.map_err(|error| format!("TESSERA_TOKEN_KEYS: {error}"))
    }
}

/// How mail is sent, and the base of its links.
#[derive(Args, Clone)]
pub struct Mail {
    /// The mail server: `smtp://user:password@mail.example.org:587?tls=required`, or `smtps://…`.
    #[arg(long, env = "TESSERA_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The sender of mails: an address, or a name with the address in angle brackets.
    #[arg(long, env = "TESSERA_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// The URL of the front end, which links in mails start with; by default the address that the
    /// service listens on.
    #[arg(long, env = "TESSERA_PUBLIC_URL")]
    pub public_url: Option<String>,
}

impl Mail {
    /// Checks that a mail server comes with a sender and a public URL.
    ///
    /// # Errors
    /// A server without a sender or a public URL.
    pub fn check_complete(&self) -> Result<(), String> {
        if self.smtp_url.is_some() && (self.mail_from.is_none() || self.public_url.is_none()) {
            return Err("TESSERA_SMTP_URL is set: TESSERA_MAIL_FROM says who mails are from, and \
                        TESSERA_PUBLIC_URL where their links lead"
                .to_owned());
        }
        Ok(())
    }

    /// The settings for the events crate. Without a server, mails are written to the folder, if any.
    ///
    /// # Errors
    /// The public URL is invalid.
    pub fn settings(&self, listening: SocketAddr, folder: Option<PathBuf>) -> Result<MailSettings, String> {
        let public_url = self.public_url.clone().unwrap_or_else(|| format!("http://{listening}"));
        let known = Url::parse(&public_url).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let public_url = known.ok_or_else(|| {
            format!("TESSERA_PUBLIC_URL: {public_url} does not begin with http:// or https://")
        })?;
        let from = self.mail_from.clone().unwrap_or_else(|| "Tessera <tessera@localhost>".to_owned());
        Ok(MailSettings { smtp_url: self.smtp_url.clone(), from, folder, public_url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(smtp_url: Option<&str>, mail_from: Option<&str>, public_url: Option<&str>) -> Mail {
        let [smtp_url, mail_from, public_url] =
            [smtp_url, mail_from, public_url].map(|value| value.map(str::to_owned));
        Mail { smtp_url, mail_from, public_url }
    }

    #[test]
    fn links_lead_to_the_public_address_or_where_the_service_listens() {
        let link = |public_url| {
            let settings = mail(None, None, public_url).settings(([127, 0, 0, 1], 8080).into(), None);
            settings.map(|settings| settings.public_url.to_string())
        };
        assert_eq!(link(None).unwrap(), "http://127.0.0.1:8080/");
        assert_eq!(link(Some("https://example.org/app")).unwrap(), "https://example.org/app");
        for bad in ["", "example.org", "localhost:3000", "mailto:a@example.org"] {
            assert!(link(Some(bad)).is_err_and(|error| error.starts_with("TESSERA_PUBLIC_URL: ")), "{bad}");
        }
    }

    #[test]
    fn a_server_needs_a_sender_and_a_public_address() {
        let (url, from, public) =
            (Some("smtp://localhost"), Some("a@example.org"), Some("https://example.org"));
        assert!(mail(None, None, None).check_complete().is_ok());
        assert!(mail(url, from, public).check_complete().is_ok());
        assert!(mail(url, None, public).check_complete().is_err());
        assert!(mail(url, from, None).check_complete().is_err());
    }
}
