//! Organisations with users who are logged in, made by SQL: thousands of passwords would take long.

use std::sync::Arc;

use anyhow::Result;
use tenancy::{RequestId, Role, Scope, SystemDoor, UserSession};
use tokio_postgres::Client;
use uuid::Uuid;

/// How many organisations, and how many users each of them has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) organisations: i32,
    pub(crate) users: i32,
}

/// A user who is logged in, an administrator.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) organisation: Uuid,
    pub(crate) user: Uuid,
    session: Uuid,
}

/// One statement each, because each needs the rows of the one before. Ids follow from the number
/// and what all of a measurement are called, so that there are no more of them however often it is
/// measured.
const STATEMENTS: [&str; 4] = [
    "INSERT INTO organisations (id, slug, name)
     SELECT md5($1 || 'o' || o)::uuid, $1 || '-' || o, $1 || ' ' || o
     FROM generate_series(1, $2::integer) o CROSS JOIN (SELECT $3::integer) unused ON CONFLICT DO NOTHING",
    "INSERT INTO accounts (id, email, password_hash)
     SELECT md5($1 || 'a' || o || '-' || u)::uuid, $1 || o || '-' || u || '@bench.example', 'none'
     FROM generate_series(1, $2::integer) o, generate_series(1, $3::integer) u ON CONFLICT DO NOTHING",
    "INSERT INTO users (organisation_id, id, account_id, name, email, roles)
     SELECT md5($1 || 'o' || o)::uuid, md5($1 || 'u' || o || '-' || u)::uuid,
            md5($1 || 'a' || o || '-' || u)::uuid, 'User', $1 || o || '-' || u || '@bench.example', '{ADMIN}'
     FROM generate_series(1, $2::integer) o, generate_series(1, $3::integer) u ON CONFLICT DO NOTHING",
    "INSERT INTO login_sessions (organisation_id, id, user_id, expires_at)
     SELECT md5($1 || 'o' || o)::uuid, md5($1 || 's' || o || '-' || u)::uuid,
            md5($1 || 'u' || o || '-' || u)::uuid, now() + interval '30 days'
     FROM generate_series(1, $2::integer) o, generate_series(1, $3::integer) u ON CONFLICT DO NOTHING",
];

const ALL: &str = "SELECT md5($1 || 'o' || o)::uuid, md5($1 || 'u' || o || '-' || u)::uuid,
            md5($1 || 's' || o || '-' || u)::uuid
     FROM generate_series(1, $2::integer) o, generate_series(1, $3::integer) u ORDER BY u, o";

/// Makes them, where they are missing, and says who they are: organisation by organisation in turns.
pub(crate) async fn people(admin: &Client, called: &str, size: Size) -> Result<Vec<Person>> {
    for statement in STATEMENTS {
        admin.execute(statement, &[&called, &size.organisations, &size.users]).await?;
    }
    admin.batch_execute("ANALYZE organisations, accounts, users, login_sessions").await?;
    let rows = admin.query(ALL, &[&called, &size.organisations, &size.users]).await?;
    let person = |row: &tokio_postgres::Row| {
        Ok(Person { organisation: row.try_get(0)?, user: row.try_get(1)?, session: row.try_get(2)? })
    };
    rows.iter().map(person).collect()
}

impl Person {
    /// Such a user's way to the database.
    pub(crate) fn scope(&self, door: &SystemDoor) -> Scope {
        let session = UserSession {
            organisation_id: self.organisation,
            user_id: self.user,
            login_session_id: self.session,
            roles: vec![Role::Admin],
            grants: vec![],
            time_zone: None,
        };
        door.user_scope(Arc::new(session), RequestId::new())
    }
}
