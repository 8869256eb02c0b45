//! The servers under load, and who asks them.

use std::net::SocketAddr;

use anyhow::Result;
use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    answer::{self, Expected, Ids},
    case::{Case, Wish},
    client::Post,
    floor, peer,
    processes::Child,
    sign_up::Member,
    wording,
};

/// Which of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The service.
    Service,
    /// The hand-written handler it is compared with.
    Floor,
    /// The peer it is compared with.
    Postgraphile,
}

impl Side {
    /// All that there are, in the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Service, Self::Floor, Self::Postgraphile];

    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Floor => "floor",
            Self::Postgraphile => "postgraphile",
        }
    }

    /// What a user of the tenant wishes, in this server's words.
    pub(crate) fn question(self, wish: Wish, tenant: &Tenant) -> Question {
        let (body, ids) = match self {
            Self::Service | Self::Floor => (wording::body(wish), Ids::TypeId),
            Self::Postgraphile => (peer::body(wish, tenant.organisation), Ids::Uuid),
        };
        Question { body, expected: Expected { wish, ids, contacts: tenant.contacts.len() } }
    }
}

/// A request ready to be sent, and what to hold its answer against.
pub(crate) struct Question {
    body: String,
    expected: Expected,
}

impl Question {
    /// Refuses an answer that is wrong: the numbers of a server that fails fast are worth nothing.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<()> {
        answer::check(answer, &self.expected)
    }
}

/// A server under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Which one.
    pub(crate) side: Side,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process id.
    pub(crate) process: u32,
}

impl Target {
    /// The server in this process.
    pub(crate) fn new(side: Side, child: &Child) -> Self {
        Self { side, address: child.address, process: child.id }
    }

    /// A question of a tenant's user, as this server wants it sent.
    pub(crate) fn post(&self, case: Case, tenant: &Tenant, question: &Question) -> Post {
        let (path, headers) = match self.side {
            Side::Service => ("/graphql", &tenant.with_token),
            Side::Floor => (case.floor_path(), &tenant.by_name),
            Side::Postgraphile => ("/graphql", &tenant.by_name),
        };
        Post { path, headers: headers.clone(), body: question.body.clone() }
    }
}

/// An organisation whose user asks.
pub(crate) struct Tenant {
    /// Its loaded contacts.
    pub(crate) contacts: Vec<Uuid>,
    organisation: Uuid,
    /// What the service wants to see.
    with_token: HeaderMap,
    /// What suffices for those that believe it.
    by_name: HeaderMap,
}

impl Tenant {
    /// The organisation of this member, with these contacts.
    pub(crate) fn new(member: &Member, contacts: Vec<Uuid>) -> Result<Self> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", member.token))?;
        let id = |id: Uuid| HeaderValue::from_str(&id.to_string());
        Ok(Self {
            contacts,
            organisation: member.organisation,
            with_token: HeaderMap::from_iter([(AUTHORIZATION, bearer)]),
            by_name: HeaderMap::from_iter([
                (floor::ORGANISATION, id(member.organisation)?),
                (floor::USER, id(member.user)?),
            ]),
        })
    }
}
