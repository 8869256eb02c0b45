//! Mail on its way out: to a real SMTP server, which takes it, refuses it or hangs up, and into a
//! folder.

use std::{fs, path::PathBuf, time::Duration};

use events::mail::{Mail, MailSettings, Mailer, Recipient, SendError};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    cluster::Temporary,
    harness::smtp::{Behaviour, SmtpServer},
};

fn mail() -> Mail {
    Mail {
        to: Recipient { name: "Ädä".to_owned(), email: "ada@example.org".to_owned() },
        subject: "Your invitation".to_owned(),
        text: "Hello Ädä,\n\nhttps://tessera.example/accept-invitation?token=abc\n.\nBye".to_owned(),
        html: "<p>Hello Ädä</p>".to_owned(),
    }
}

fn mailer(smtp_url: Option<String>, folder: Option<PathBuf>) -> Mailer {
    let from = "Tessera <no-reply@tessera.example>".to_owned();
    let public_url = "https://tessera.example".parse().unwrap();
    Mailer::new(&MailSettings { smtp_url, from, folder, public_url }).unwrap()
}

/// Sends the mail to a server that does this.
async fn sent(behaviour: Behaviour) -> (SmtpServer, Result<(), SendError>) {
    let server = SmtpServer::start().await;
    server.does(behaviour);
    let outcome = mailer(Some(server.url()), None).send(Uuid::now_v7(), &mail()).await;
    (server, outcome)
}

#[tokio::test]
async fn a_mail_arrives_whole_and_can_be_known_again() {
    let server = SmtpServer::start().await;
    let mailer = mailer(Some(server.url()), None);
    let id = Uuid::now_v7();
    for _ in 0..2 {
        mailer.send(id, &mail()).await.unwrap();
    }
    let [first, second] = &server.arrived()[..] else { panic!("{:?}", server.arrived()) };
    assert_eq!(first.from, "no-reply@tessera.example");
    assert_eq!(first.to, ["ada@example.org"]);
    let message_id = format!("<{id}@tessera.example>");
    for arrived in [first, second] {
        assert_eq!(arrived.header("Message-ID"), Some(message_id.as_str()));
        assert_eq!(arrived.header("Subject"), Some("Your invitation"));
        assert_eq!(arrived.header("From"), Some("Tessera <no-reply@tessera.example>"));
        assert!(arrived.header("Date").is_some_and(|date| date.ends_with("+0000")), "{arrived:?}");
        assert!(arrived.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    }
    // The line with the dot, which ends a mail in SMTP, did not end this one.
    assert!(first.data.contains("\r\n.\r\nBye"), "{}", first.data);
    assert!(first.data.contains("accept-invitation?token=3Dabc"), "{}", first.data);
}

#[tokio::test]
async fn an_answer_of_550_is_for_good() {
    let (server, outcome) = sent(Behaviour::Refuse).await;
    let error = outcome.unwrap_err();
    assert!(error.permanent && error.message.contains("550"), "{error:?}");
    assert!(server.arrived().is_empty());
}

#[tokio::test]
async fn an_answer_of_451_is_for_now_and_the_same_mailer_goes_on() {
    let server = SmtpServer::start().await;
    let mailer = mailer(Some(server.url()), None);
    server.does(Behaviour::Defer);
    let error = mailer.send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent && error.message.contains("451"), "{error:?}");
    assert!(server.arrived().is_empty());
    server.does(Behaviour::Accept);
    mailer.send(Uuid::now_v7(), &mail()).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
}

#[tokio::test]
async fn wrong_credentials_cost_no_mail_its_life() {
    let (_, outcome) = sent(Behaviour::Distrust).await;
    let error = outcome.unwrap_err();
    assert!(!error.permanent && error.message.contains("535"), "{error:?}");
}

#[tokio::test]
async fn a_broken_connection_is_for_now_and_the_same_mailer_goes_on() {
    let server = SmtpServer::start().await;
    let mailer = mailer(Some(server.url()), None);
    mailer.send(Uuid::now_v7(), &mail()).await.unwrap();
    server.does(Behaviour::HangUp);
    let error = mailer.send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent, "{error:?}");
    server.does(Behaviour::Accept);
    mailer.send(Uuid::now_v7(), &mail()).await.unwrap();
    assert_eq!(server.arrived().len(), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_for_now() {
    let server = SmtpServer::start().await;
    server.does(Behaviour::Sulk);
    let mailer = mailer(Some(server.url()), None).with_timeout(Duration::from_millis(200));
    let error = mailer.send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent && error.message.contains("too long"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_for_now() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error =
        mailer(Some(format!("smtp://{nobody}")), None).send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent, "{error:?}");
}

#[tokio::test]
async fn a_mail_never_leaves_in_the_clear_where_encryption_is_required() {
    let server = SmtpServer::start().await;
    let url = format!("{}?tls=required", server.url().replace("smtp://", "smtp://user:secret@"));
    let error = mailer(Some(url), None).send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent && !error.message.contains("secret"), "{error:?}");
    assert!(server.arrived().is_empty());
}

#[tokio::test]
async fn an_address_that_no_mail_can_go_to_is_for_good() {
    let server = SmtpServer::start().await;
    let to = Recipient { name: String::new(), email: "ada@exa mple".to_owned() };
    let error = mailer(Some(server.url()), None).send(Uuid::now_v7(), &Mail { to, ..mail() }).await;
    assert!(error.as_ref().is_err_and(|error| error.permanent), "{error:?}");
}

#[tokio::test]
async fn without_a_server_a_mail_is_laid_into_the_folder() {
    let temporary = Temporary::new("mail-folder");
    let folder = temporary.data_dir().join("mail");
    let mailer = mailer(None, Some(folder.clone()));
    let id = Uuid::now_v7();
    for _ in 0..2 {
        mailer.send(id, &mail()).await.unwrap();
    }
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, [format!("{id}.eml").as_str()]);
    let written = fs::read_to_string(folder.join(&files[0])).unwrap();
    assert!(written.contains(&format!("Message-ID: <{id}@tessera.example>")), "{written}");
    assert!(written.contains("accept-invitation"), "{written}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_for_now() {
    let temporary = Temporary::new("mail-no-folder");
    fs::create_dir_all(temporary.data_dir()).unwrap();
    let file = temporary.data_dir().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = mailer(None, Some(file)).send(Uuid::now_v7(), &mail()).await.unwrap_err();
    assert!(!error.permanent, "{error:?}");
}
