//! Mail in the queue.

use chrono::TimeDelta;
use events::{
    Work,
    mail::{MailSettings, Mailer},
};
use serde_json::json;
use tenancy::ManualClock;

use super::Own;
use crate::harness::{
    Client, mail_settings, organisation, server,
    smtp::{Behaviour, SmtpServer},
    unique_email,
};

/// Events with a mailer for this server.
async fn sending(smtp: &SmtpServer, clock: &ManualClock) -> Own {
    let settings = MailSettings { smtp_url: Some(smtp.url()), ..mail_settings() };
    let work = Work::built_in(Mailer::new(&settings).unwrap(), events::webhook::Reach::Public).unwrap();
    Own::open(&server().addresses, clock.clock(), work).await
}

/// An organisation with two mails: an invitation, and the verification of its admin's address.
async fn inviting() -> (Client, String) {
    let (client, email) = (organisation().await, unique_email());
    client.invite(&email).await;
    (client, email)
}

#[tokio::test]
async fn a_mail_arrives_once_the_server_takes_it_and_once_alone() {
    let (smtp, clock) = (SmtpServer::start().await, ManualClock::default());
    let own = sending(&smtp, &clock).await;
    let (client, email) = inviting().await;
    for behaviour in [Behaviour::Defer, Behaviour::HangUp, Behaviour::Distrust] {
        smtp.does(behaviour);
        own.events.drain(client.organisation_id()).await.unwrap();
        clock.advance(TimeDelta::hours(6));
    }
    assert_eq!(smtp.arrived().len(), 0);
    smtp.does(Behaviour::Accept);
    for _ in 0..2 {
        own.events.drain(client.organisation_id()).await.unwrap();
        clock.advance(TimeDelta::hours(6));
    }
    let arrived = smtp.arrived();
    assert_eq!(arrived.len(), 2, "{arrived:?}");
    let invitation = arrived.iter().find(|mail| mail.to == [email.clone()]).unwrap();
    assert!(invitation.data.contains("accept-invitation?token=3D"), "{}", invitation.data);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_a_dead_letter_without_its_secrets() {
    let (smtp, clock) = (SmtpServer::start().await, ManualClock::default());
    let own = sending(&smtp, &clock).await;
    let (client, email) = inviting().await;
    smtp.does(Behaviour::Refuse);
    own.events.drain(client.organisation_id()).await.unwrap();
    let list = "{ deadLetters(where: {kind: {eq: \"mail\"}, state: {eq: WAITING}}) { nodes { id summary attempts lastError revision } } }";
    let letters = client.run(list, json!({})).await.ok("/data/deadLetters")["nodes"].clone();
    let of_invitation =
        letters.as_array().unwrap().iter().find(|it| it["summary"].as_str().unwrap().contains(&email));
    let letter = of_invitation.unwrap_or_else(|| panic!("{letters}"));
    assert_eq!(letter["attempts"], 1);
    assert!(!letters.to_string().contains("token"), "{letters}");
    // Once the cause is fixed, it can be sent.
    smtp.does(Behaviour::Accept);
    let replay = "mutation ($input: ReplayDeadLetterInput!) { replayDeadLetter(input: $input) { \
                  deadLetter { id } userErrors { code message field } } }";
    client.mutate(replay, json!({ "id": letter["id"] })).await.ok("/data/replayDeadLetter");
    own.events.drain(client.organisation_id()).await.unwrap();
    assert_eq!(smtp.arrived().iter().filter(|mail| mail.to == [email.clone()]).count(), 1);
    let left = client.run(list, json!({})).await.ok("/data/deadLetters")["nodes"].clone();
    assert!(!left.to_string().contains(&email), "{left}");
}
