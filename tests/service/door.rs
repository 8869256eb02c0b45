//! Tenancy's door: what goes through it, and what is left behind when somebody walks away halfway.
//!
//! Most of these open a `tenancy::Database` themselves, because the service keeps its own closed.

mod audit;
mod cancellation;
mod exports;
mod flush;
mod hooks;
mod idempotency;
mod limits;
mod months;
mod oracle;
mod proxy;
mod refusals;
mod settings;
mod tracking;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::prelude::*;
use serde_json::json;
use tenancy::{
    Addresses, Clock, Database, Failure, Grant, Limits, ManualClock, RequestId, Role, Scope, Session,
    SystemDoor, Tx, UserSession,
};
use uuid::Uuid;

use crate::harness::{self, Client, postgres};

diesel::table! {
    contacts (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        name -> Text,
        notes -> Nullable<Text>,
    }
}

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until something holds; fails where it does not come to hold.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < DEADLINE, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An open database of a test's own making.
pub(crate) struct Door {
    database: Database,
    system: SystemDoor,
}

impl Door {
    pub(crate) async fn open(addresses: &Addresses, connections: usize) -> Self {
        Self::open_at(addresses, connections, Clock::system()).await
    }

    async fn open_at(addresses: &Addresses, connections: usize, clock: Clock) -> Self {
        let limits = Limits { connections, ..Limits::default() };
        let opened =
            Database::open(addresses, &limits, gateway::CONSTRAINTS, clock, tenancy::Settings::default())
                .await;
        let (database, system) = opened.unwrap();
        Self { database, system }
    }

    /// The way of this client's user.
    fn scope(&self, client: &Client) -> Scope {
        self.scope_as(client, Role::Admin)
    }

    /// The way of this client's user, had they this role alone.
    fn scope_as(&self, client: &Client, role: Role) -> Scope {
        self.scope_of(client.organisation_id(), client.user_id(), vec![role], vec![])
    }

    /// The way of a user with these roles and grants alone, whom no table needs to have.
    pub(crate) fn scope_of(
        &self,
        organisation_id: Uuid,
        user_id: Uuid,
        roles: Vec<Role>,
        grants: Vec<Grant>,
    ) -> Scope {
        let user = UserSession {
            organisation_id,
            user_id,
            login_session_id: Uuid::now_v7(),
            roles,
            grants,
            time_zone: Some(chrono_tz::Europe::Berlin),
        };
        let session = Session::of_user(&self.system, Arc::new(user));
        Scope::new(self.database.clone(), session, RequestId::new())
    }
}

/// A migrated database of a test's own with two organisations, each with a contact of the name
/// given.
pub(crate) async fn own_database(name: &str, contacts: [&str; 2]) -> (Addresses, [Client; 2]) {
    let addresses = postgres().migrated_database(name).await;
    let server = Client::of(&harness::start(&addresses, &ManualClock::default()).await);
    let clients = [server.signed_up().await, server.signed_up().await];
    for (client, name) in clients.iter().zip(contacts) {
        client.create_contact(json!({ "kind": "COMPANY", "name": name })).await;
    }
    (addresses, clients)
}

/// The names of all contacts; always the same statement.
async fn names(scope: &Scope) -> Result<Vec<String>, Failure> {
    scope.rows(contacts::table.select(contacts::name).order(contacts::name)).await
}

/// The names of all contacts, by a statement that no other number has.
async fn numbered(scope: &Scope, number: usize) -> Result<Vec<String>, Failure> {
    let mut query = contacts::table.select(contacts::name).order(contacts::name).into_boxed();
    for _ in 0..number {
        query = query.filter(contacts::name.ne("nobody"));
    }
    scope.rows(query).await
}

/// Adds a contact; always the same statement.
async fn insert(tx: &Tx, name: &str) -> Result<Uuid, Failure> {
    let id = Uuid::now_v7();
    let row = (contacts::id.eq(id), contacts::kind.eq("COMPANY"), contacts::name.eq(name));
    tx.execute(diesel::insert_into(contacts::table).values(row)).await?;
    Ok(id)
}
