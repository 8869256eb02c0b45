use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::{Permission, Refusal, Role, SystemDoor};

/// The authenticated caller. Only a [`SystemDoor`] creates one, so that no domain can forge it.
#[derive(Clone, Debug)]
pub struct Session(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Anonymous,
    /// The holder of a token that was minted for this organisation. Has no identity beyond it.
    TokenHolder(Uuid),
    /// A background job of this organisation.
    Job(Uuid),
    User(Arc<UserSession>),
}

/// A logged-in user of one organisation.
#[derive(Debug)]
pub struct UserSession {
    /// The active organisation.
    pub organisation_id: Uuid,
    /// The user's row in that organisation.
    pub user_id: Uuid,
    /// The log-in session.
    pub login_session_id: Uuid,
    /// The roles of the user.
    pub roles: Vec<Role>,
    /// What else the user may do, and until when: what no role allows but a subscription, say.
    pub grants: Vec<Grant>,
    /// The organisation's time zone, in which its days begin; absent where the session is not read.
    pub time_zone: Option<Tz>,
}

/// A permission that a session holds beside those of its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it allows.
    pub permission: Permission,
    /// Until when; absent if it does not end by itself.
    pub until: Option<DateTime<Utc>>,
}

impl UserSession {
    /// The first time at which a grant ends: from then on the cached session is not valid.
    pub(crate) fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.grants.iter().filter_map(|grant| grant.until).min()
    }

    fn holds(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| role.allows(permission))
            || self.grants.iter().any(|grant| grant.permission == permission)
    }
}

impl Session {
    /// An anonymous session, which may sign up and log in, but read nothing.
    pub fn anonymous() -> Self {
        Self(Kind::Anonymous)
    }

    /// A logged-in user.
    pub fn of_user(_: &SystemDoor, user: Arc<UserSession>) -> Self {
        Self(Kind::User(user))
    }

    /// The holder of a token (refresh, reset, invitation) that carries this organisation's id.
    pub fn of_token(_: &SystemDoor, organisation_id: Uuid) -> Self {
        Self(Kind::TokenHolder(organisation_id))
    }

    /// A background job of this organisation: has all permissions there, but is not a user.
    pub fn of_job(_: &SystemDoor, organisation_id: Uuid) -> Self {
        Self(Kind::Job(organisation_id))
    }

    /// The logged-in user.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session is not a user's.
    pub fn user(&self) -> Result<&UserSession, Refusal> {
        match &self.0 {
            Kind::User(user) => Ok(user),
            Kind::Anonymous | Kind::TokenHolder(_) | Kind::Job(_) => Err(Refusal::Unauthenticated),
        }
    }

    /// The organisation of the session.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session has none.
    pub fn organisation_id(&self) -> Result<Uuid, Refusal> {
        match &self.0 {
            Kind::User(user) => Ok(user.organisation_id),
            Kind::TokenHolder(organisation_id) | Kind::Job(organisation_id) => Ok(*organisation_id),
            Kind::Anonymous => Err(Refusal::Unauthenticated),
        }
    }

    /// Checks that the session has the permission.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the session is anonymous, FORBIDDEN if it lacks the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Refusal> {
        match &self.0 {
            Kind::Anonymous => Err(Refusal::Unauthenticated),
            Kind::Job(_) => Ok(()),
            // A user without roles keeps access to the own account.
            Kind::TokenHolder(_) | Kind::User(_) if permission == Permission::OwnAccount => Ok(()),
            Kind::User(user) if user.holds(permission) => Ok(()),
            Kind::TokenHolder(_) | Kind::User(_) => Err(Refusal::Forbidden),
        }
    }

    /// Whether the session holds the permission.
    pub fn holds(&self, permission: Permission) -> bool {
        self.require(permission).is_ok()
    }

    /// Whether the session holds one of these permissions.
    pub fn holds_any(&self, permissions: &[Permission]) -> bool {
        permissions.iter().any(|permission| self.holds(*permission))
    }

    /// Passes if the session holds one of these permissions.
    ///
    /// # Errors
    /// As [`Session::require`].
    pub fn require_any(&self, permissions: &[Permission]) -> Result<(), Refusal> {
        let mut refusal = Refusal::Forbidden;
        for permission in permissions {
            match self.require(*permission) {
                Ok(()) => return Ok(()),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}
