//! The connection on which a gateway receives the notifications of the others.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::TryStreamExt;
use url::Url;

use crate::database::Inner;

/// The channel of the trigger `forget`. Payload: the id of a log-in session or a user that changed.
const SESSIONS: &str = "tessera_sessions";
/// The channel for events and jobs. No payload.
const EVENTS: &str = "tessera_events";
/// The wait before connecting again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Forwards notifications. After a lost connection the session cache is cleared, because notifications
/// may have been missed.
pub(crate) async fn listen(url: &Url, database: &Inner) {
    loop {
        if let Err(error) = listen_once(url, database).await {
            tracing::warn!(%error, "the listener lost PostgreSQL");
        }
        database.sessions.forget_all();
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn listen_once(url: &Url, database: &Inner) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = AsyncPgConnection::establish(url.as_str()).await?;
    let listen = format!("SET application_name = 'tessera listener'; LISTEN {SESSIONS}; LISTEN {EVENTS}");
    connection.batch_execute(&listen).await?;
    database.sessions.forget_all();
    database.announce();
    let mut notifications = std::pin::pin!(connection.notifications_stream());
    while let Some(notification) = notifications.try_next().await? {
        match notification.channel.as_str() {
            EVENTS => database.announce(),
            _ => {
                if let Ok(id) = notification.payload.parse() {
                    database.sessions.forget(id);
                }
            }
        }
    }
    Ok(())
}

impl Inner {
    fn announce(&self) {
        self.announced.send_modify(|count| *count = count.wrapping_add(1));
    }
}
