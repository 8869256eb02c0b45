use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{self, PoolConfig},
};
use listing::email_address;
use thiserror::Error;
use tokio::{task::spawn_blocking, time::timeout};
use url::{Host, Url};
use uuid::Uuid;

use super::{Mail, template::one_line};

/// The time limit for sending one mail, from connecting to the last reply.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The size of the SMTP connection pool.
const CONNECTIONS: u32 = 4;
/// How many characters of a server's reply an error repeats.
const MAX_ANSWER: usize = 200;
/// SMTP reply codes about authentication: the mail can be sent once the setting is corrected.
const ABOUT_CREDENTIALS: [u16; 4] = [530, 534, 535, 538];

/// How mail is sent, and the base of its links.
#[derive(Clone)]
pub struct MailSettings {
    /// The SMTP server, with user and password:
    /// `smtp://user:password@mail.example.org:587?tls=required`, or `smtps://…` for implicit TLS.
    pub smtp_url: Option<String>,
    /// The sender: an address, or a name with the address in angle brackets.
    pub from: String,
    /// The folder that mail is written to if there is no server.
    pub folder: Option<PathBuf>,
    /// The URL of the front end, which links in mails start with.
    pub public_url: Url,
}

/// An invalid mail setting.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The server's URL: why it is invalid, without its password.
    #[error("TESSERA_SMTP_URL: {0}")]
    Server(String),
    /// The sender.
    #[error("TESSERA_MAIL_FROM: {0:?} is not an address, or a name with an address in angle brackets")]
    From(String),
}

/// Why a mail was not sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct SendError {
    /// A sentence for the operator, without secrets.
    pub message: String,
    /// Whether retrying is pointless.
    pub permanent: bool,
}

impl SendError {
    fn transient(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: false }
    }

    fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: true }
    }
}

/// Sends mail to a server or writes it to a folder. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    outlet: Outlet,
    timeout: Duration,
}

#[derive(Clone)]
enum Outlet {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
    Disabled,
}

impl Mailer {
    /// Creates a mailer; a server takes precedence over a folder. Needs a tokio runtime.
    ///
    /// # Errors
    /// An invalid setting. Does not connect to the server.
    pub fn new(settings: &MailSettings) -> Result<Self, SettingsError> {
        let from = settings.from.parse().map_err(|_| SettingsError::From(settings.from.clone()))?;
        let outlet = match (&settings.smtp_url, &settings.folder) {
            (Some(url), _) => Outlet::Smtp(server(url).map_err(SettingsError::Server)?),
            (None, Some(folder)) => Outlet::Folder(folder.clone()),
            (None, None) => Outlet::Disabled,
        };
        Ok(Self { from, outlet, timeout: TIMEOUT })
    }

    /// Sets the time limit for sending one mail.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends one mail. The id becomes its Message-ID, so that a receiver recognises a mail that is
    /// sent twice.
    ///
    /// # Errors
    /// The mail was not sent, or it is unknown whether it was.
    pub async fn send(&self, id: Uuid, mail: &Mail) -> Result<(), SendError> {
        match &self.outlet {
            Outlet::Smtp(server) => {
                let message = message(&self.from, id, mail)?;
                match timeout(self.timeout, server.send(message)).await {
                    Ok(sent) => sent.map(drop).map_err(|error| smtp_error(&error)),
                    Err(_) => Err(SendError::transient("The mail server took too long to answer.")),
                }
            }
            Outlet::Folder(folder) => {
                let message = message(&self.from, id, mail)?.formatted();
                let (folder, path) = (folder.clone(), folder.join(format!("{id}.eml")));
                let written = spawn_blocking(move || write_whole(&folder, &path, &message)).await;
                written.map_err(io::Error::other).flatten().map_err(|error| folder_error(&error))?;
                println!("{}", console_summary(mail));
                Ok(())
            }
            Outlet::Disabled => {
                Err(SendError::transient("No mail is sent: set TESSERA_SMTP_URL to a mail server."))
            }
        }
    }
}

fn server(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let encrypted = parsed.scheme() == "smtps"
        || parsed.query_pairs().any(|pair| pair == ("tls".into(), "required".into()));
    if parsed.password().is_some() && !encrypted && !is_this_machine(&parsed) {
        return Err("a password is only sent encrypted: use smtps://, or add ?tls=required".to_owned());
    }
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
    let builder = builder.map_err(|error| {
        // lettre's message, which repeats no part of the URL.
        format!("{error}; such as smtp://user:password@mail.example.org:587?tls=required")
    })?;
    Ok(builder.timeout(Some(TIMEOUT)).pool_config(PoolConfig::new().max_size(CONNECTIONS)).build())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host_str().map(Host::parse) {
        Some(Ok(Host::Domain(name))) => name == "localhost",
        Some(Ok(Host::Ipv4(ip))) => ip.is_loopback(),
        Some(Ok(Host::Ipv6(ip))) => ip.is_loopback(),
        Some(Err(_)) | None => false,
    }
}

/// Builds the MIME message.
fn message(from: &Mailbox, id: Uuid, mail: &Mail) -> Result<Message, SendError> {
    let address = email_address(&mail.to.email)
        .ok_or_else(|| SendError::permanent("No mail can be sent to this address.".to_owned()))?;
    let name = Some(one_line(&mail.to.name)).filter(|name| !name.is_empty());
    Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .date_now()
        .from(from.clone())
        .to(Mailbox::new(name, address))
        .subject(one_line(&mail.subject))
        // Keeps automatic responders from replying (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|error| SendError::permanent(format!("The mail cannot be put together: {error}.")))
}

fn smtp_error(error: &smtp::Error) -> SendError {
    let code = error.status().map(u16::from);
    let about_credentials = code.is_some_and(|code| ABOUT_CREDENTIALS.contains(&code));
    let words: String = one_line(&error.to_string()).chars().take(MAX_ANSWER).collect();
    SendError {
        message: match code {
            Some(_) => format!("The mail server refuses: {words}"),
            None => format!("The mail server cannot be reached or understood: {words}"),
        },
        permanent: error.is_permanent() && !about_credentials,
    }
}

/// Writes a file atomically.
fn write_whole(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    fs::create_dir_all(folder)?;
    fs::write(&unfinished, content)?;
    fs::rename(unfinished, path)
}

fn folder_error(error: &io::Error) -> SendError {
    SendError::transient(format!("The mail cannot be written to its folder: {error}."))
}

/// The line printed for a mail that is written to a folder: recipient, subject and first link.
fn console_summary(mail: &Mail) -> String {
    let link =
        mail.text.split_whitespace().find(|word| word.starts_with("https://") || word.starts_with("http://"));
    let link = link.map(|link| format!("\n  {link}")).unwrap_or_default();
    format!("Mail to {}: {}{link}", mail.to.email, mail.subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Recipient;

    fn mail(name: &str, subject: &str) -> Mail {
        Mail {
            to: Recipient { name: name.to_owned(), email: "ada@example.org".to_owned() },
            subject: subject.to_owned(),
            text: "Dear Ada,\n\nopen this: https://example.org/a?token=x\nor http://not.this/\n".to_owned(),
            html: "<p>Dear Ada</p>".to_owned(),
        }
    }

    fn settings(smtp_url: Option<&str>, from: &str) -> MailSettings {
        MailSettings {
            smtp_url: smtp_url.map(str::to_owned),
            from: from.to_owned(),
            folder: None,
            public_url: Url::parse("https://example.org").unwrap(),
        }
    }

    fn written(mail: &Mail) -> String {
        let from = "Tessera <no-reply@example.org>".parse().unwrap();
        String::from_utf8(message(&from, Uuid::nil(), mail).unwrap().formatted()).unwrap()
    }

    /// The lines of a mail's head.
    fn head(written: &str) -> Vec<&str> {
        written.split("\r\n\r\n").next().unwrap().split("\r\n").collect()
    }

    #[test]
    fn a_domain_goes_out_in_ascii() {
        let mut mail = mail("Ada", "Welcome");
        mail.to.email = "ada@exämple.org".to_owned();
        assert!(written(&mail).contains("To: Ada <ada@xn--exmple-cua.org>"), "{}", written(&mail));
    }

    #[test]
    fn a_mail_says_who_it_is_from_and_which_it_is() {
        let written = written(&mail("Ada Lovelace", "Welcome"));
        let head = head(&written);
        assert!(head.contains(&"Message-ID: <00000000-0000-0000-0000-000000000000@example.org>"), "{head:?}");
        for line in ["From: ", "To: ", "Date: ", "Subject: Welcome", "MIME-Version: ", "Auto-Submitted: "] {
            assert_eq!(head.iter().filter(|other| other.starts_with(line)).count(), 1, "{line} of {head:?}");
        }
        assert!(written.contains("multipart/alternative"), "{written}");
        for part in ["text/plain", "text/html"] {
            assert!(written.contains(&format!("Content-Type: {part}; charset=utf-8")), "{part} of {written}");
        }
    }

    #[test]
    fn nothing_adds_a_line_to_the_head() {
        let count = head(&written(&mail("Ada", "Hello"))).len();
        for ending in ["\r\n", "\n", "\r"] {
            let evil = format!("Ada{ending}Bcc: all@example.org{ending}{ending}Body");
            let written = written(&mail(&evil, &evil));
            let head = head(&written);
            assert!(!head.iter().any(|line| line.starts_with("Bcc")), "{written}");
            assert!(head.len() <= count + 2, "{written}");
        }
    }

    #[test]
    fn names_and_subjects_of_any_language_travel() {
        let written = written(&mail("Ädä <b>, \"Q\"", "Grüße 株"));
        assert!(written.is_ascii(), "{written}");
        assert!(
            written.contains("Subject: Gr=?utf-8?") || written.contains("Subject: =?utf-8?"),
            "{written}"
        );
    }

    #[tokio::test]
    async fn settings_that_cannot_be_used_say_why_without_the_password() {
        let complaint = |url: Option<&str>, from: &str| {
            Mailer::new(&settings(url, from)).err().map(|error| error.to_string()).unwrap_or_default()
        };
        let from = "Tessera <no-reply@example.org>";
        assert_eq!(complaint(None, from), "");
        assert_eq!(complaint(None, "no-reply@example.org"), "");
        for good in [
            "smtp://127.0.0.1:25",
            "smtp://user:secret@localhost",
            "smtp://user:secret@mail.example.org:587?tls=required",
            "smtps://user:secret@mail.example.org",
        ] {
            assert_eq!(complaint(Some(good), from), "", "{good}");
        }
        for bad in [
            "mail.example.org",
            "smtp://user:secret@mail.example.org",
            "smtp://user:secret@mail.example.org?tls=opportunistic",
            "http://user:secret@mail.example.org?tls=required",
            "smtp://user:secret@mail.example.org:x?tls=required",
        ] {
            let said = complaint(Some(bad), from);
            assert!(said.starts_with("TESSERA_SMTP_URL: ") && !said.contains("secret"), "{bad}: {said}");
        }
        for bad in ["", "Tessera", "Tessera <>", "a@b\nBcc: c@d"] {
            assert!(complaint(None, bad).starts_with("TESSERA_MAIL_FROM: "), "{bad}");
        }
    }

    #[tokio::test]
    async fn without_a_way_out_the_error_says_what_to_set() {
        let mailer = Mailer::new(&settings(None, "no-reply@example.org")).unwrap();
        let error = mailer.send(Uuid::nil(), &mail("Ada", "Hello")).await.unwrap_err();
        assert!(error.message.contains("TESSERA_SMTP_URL") && !error.permanent, "{error:?}");
    }

    #[test]
    fn the_first_link_is_shown() {
        let shown = console_summary(&mail("Ada", "Hello"));
        assert_eq!(shown, "Mail to ada@example.org: Hello\n  https://example.org/a?token=x");
        let without = Mail { text: "Nothing".to_owned(), ..mail("Ada", "Hello") };
        assert_eq!(console_summary(&without), "Mail to ada@example.org: Hello");
    }
}
