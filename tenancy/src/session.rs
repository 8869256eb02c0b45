use std::sync::Arc;

use chrono_tz::Tz;
use uuid::Uuid;

use crate::{Permission, Refusal, Role, SystemDoor};

/// Who is asking. Made only by a [`SystemDoor`], so that no domain can forge one.
#[derive(Clone, Debug)]
pub struct Session(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Anonymous,
    /// Somebody who shows a token that we minted for this organisation, and is nobody beyond it.
    TokenHolder(Uuid),
    /// A background job of this organisation.
    Job(Uuid),
    User(Arc<UserSession>),
}

/// A user of one organisation, logged in.
#[derive(Debug)]
pub struct UserSession {
    /// The active organisation.
    pub organisation_id: Uuid,
    /// The user's row in that organisation.
    pub user_id: Uuid,
    /// The log-in that this goes back to.
    pub login_session_id: Uuid,
    /// What the user may do.
    pub roles: Vec<Role>,
    /// The organisation's time zone. None where it was not read: `organisation_today()` then reads
    /// it from the organisation's row.
    pub time_zone: Option<Tz>,
}

impl Session {
    /// Nobody in particular: may sign up, log in, and read nothing.
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

    /// A background job of this organisation: may do everything there, and is nobody.
    pub fn of_job(_: &SystemDoor, organisation_id: Uuid) -> Self {
        Self(Kind::Job(organisation_id))
    }

    /// The logged-in user.
    ///
    /// # Errors
    /// UNAUTHENTICATED for everybody else.
    pub fn user(&self) -> Result<&UserSession, Refusal> {
        match &self.0 {
            Kind::User(user) => Ok(user),
            Kind::Anonymous | Kind::TokenHolder(_) | Kind::Job(_) => Err(Refusal::Unauthenticated),
        }
    }

    /// The tenant whose rows this session reaches.
    ///
    /// # Errors
    /// UNAUTHENTICATED for a session without one.
    pub fn organisation_id(&self) -> Result<Uuid, Refusal> {
        match &self.0 {
            Kind::User(user) => Ok(user.organisation_id),
            Kind::TokenHolder(organisation_id) | Kind::Job(organisation_id) => Ok(*organisation_id),
            Kind::Anonymous => Err(Refusal::Unauthenticated),
        }
    }

    /// Passes if the session holds the permission.
    ///
    /// # Errors
    /// UNAUTHENTICATED for nobody, FORBIDDEN for somebody without it.
    pub fn require(&self, permission: Permission) -> Result<(), Refusal> {
        match &self.0 {
            Kind::Anonymous => Err(Refusal::Unauthenticated),
            Kind::Job(_) => Ok(()),
            // Nobody loses the way to one's own account with one's last role.
            Kind::TokenHolder(_) | Kind::User(_) if permission == Permission::OwnAccount => Ok(()),
            Kind::User(user) if user.roles.iter().any(|role| role.allows(permission)) => Ok(()),
            Kind::TokenHolder(_) | Kind::User(_) => Err(Refusal::Forbidden),
        }
    }
}
