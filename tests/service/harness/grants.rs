//! What the gateway of the tests provides beside what any gateway does: webhooks that lead to this
//! machine, and grants that tests give.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use domain_identity::Grants;
use events::webhook::Reach;
use futures_util::FutureExt;
use tenancy::{Grant, Permission, Settings};
use uuid::Uuid;

use super::{Client, uuid};

static GRANTS: LazyLock<Mutex<HashMap<Uuid, Vec<Grant>>>> = LazyLock::new(Mutex::default);

/// The settings of a test's gateway.
pub(crate) fn settings() -> Settings {
    let grants = Grants::new(|_, user_id| {
        let granted = GRANTS.lock().unwrap().get(&user_id).cloned().unwrap_or_default();
        async move { Ok(granted) }.boxed()
    });
    Settings::default().with(Reach::WithLoopback).with(grants)
}

impl Client {
    /// Another user of this organisation, with the role USER and these permissions.
    pub(crate) async fn granted(&self, permissions: &[Permission]) -> Self {
        let user = self.colleague(&["USER"]).await;
        let grant = |permission: &Permission| Grant { permission: *permission, until: None };
        let grants = permissions.iter().map(grant).collect();
        GRANTS.lock().unwrap().insert(user.user_id(), grants);
        user
    }

    /// The plain id of this client's user.
    pub(crate) fn user_id(&self) -> Uuid {
        uuid(self.log_in["user"]["id"].as_str().unwrap())
    }
}
