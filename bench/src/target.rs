//! The two servers under load, and who asks them.

use std::net::SocketAddr;

use anyhow::Result;
use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    case::{Case, Question},
    client::Post,
    floor,
    processes::Child,
    sign_up::Member,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The service.
    Service,
    /// The hand-written handler it is compared with.
    Floor,
}

impl Side {
    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Floor => "floor",
        }
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

    /// A question of a tenant's user, as this server wants it put.
    pub(crate) fn post(&self, case: Case, tenant: &Tenant, question: &Question) -> Post {
        let (path, headers) = match self.side {
            Side::Service => ("/graphql", &tenant.service_headers),
            Side::Floor => (case.floor_path(), &tenant.floor_headers),
        };
        Post { path, headers: headers.clone(), body: question.body.clone() }
    }
}

/// An organisation whose user asks.
pub(crate) struct Tenant {
    /// Its loaded contacts.
    pub(crate) contacts: Vec<Uuid>,
    service_headers: HeaderMap,
    floor_headers: HeaderMap,
}

impl Tenant {
    /// The organisation of this member, with these contacts.
    pub(crate) fn new(member: &Member, contacts: Vec<Uuid>) -> Result<Self> {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", member.token))?;
        let id = |id: Uuid| HeaderValue::from_str(&id.to_string());
        Ok(Self {
            contacts,
            service_headers: HeaderMap::from_iter([(AUTHORIZATION, bearer)]),
            floor_headers: HeaderMap::from_iter([
                (floor::ORGANISATION, id(member.organisation)?),
                (floor::USER, id(member.user)?),
            ]),
        })
    }
}
