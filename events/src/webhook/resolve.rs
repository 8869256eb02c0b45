//! DNS resolution that returns allowed addresses only.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::guard::Reach;

/// A DNS lookup, which tests replace.
pub(super) type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// All addresses of a name are forbidden.
#[derive(Debug, Error)]
#[error("The name in the URL leads to no public address.")]
pub(super) struct PrivateName;

/// Resolves a name once and returns the allowed addresses. The client connects to exactly these, so a
/// different answer to a second lookup (DNS rebinding) has no effect.
pub(super) struct Resolver {
    pub(super) reach: Reach,
    pub(super) lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach, (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            // The client replaces port 0 by the port of the URL.
            let allowed = found.into_iter().filter(|address| reach.allows(*address));
            let allowed: Vec<_> = allowed.map(|address| SocketAddr::new(address, 0)).collect();
            if allowed.is_empty() {
                return Err(PrivateName.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// The resolver of the operating system.
pub(super) fn system(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
}
