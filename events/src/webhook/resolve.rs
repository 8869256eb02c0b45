//! From the name in a URL to the addresses that may be connected to.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::guard::Reach;

/// Where names are looked up.
pub(super) type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// A name that leads only to addresses which may not be sent to.
#[derive(Debug, Error)]
#[error("The name in the URL leads to no public address.")]
pub(super) struct PrivateName;

/// Looks a name up once and hands on what may be connected to. The connection is made to these very
/// addresses, so that a name which answers differently the second time gains nothing.
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
            // The URL's port takes the place of 0.
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

/// As the machine looks names up.
pub(super) fn system(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
}
