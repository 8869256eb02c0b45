//! Organisations, the accounts that log in, their users, and log-in itself.
//!
//! An *account* is a person with an e-mail and a password; a *user* is that person in one
//! organisation, with a name and roles. One account may have users in several organisations; the
//! access token names the one that is active.

mod constraints;
mod created_by;
mod grants;
mod graphql;
mod hs256;
mod identity;
mod login;
mod mailed;
mod organisation;
mod password;
mod tables;
mod token;
mod user;
mod verb;

pub use constraints::CONSTRAINTS;
pub use created_by::created_by;
pub use grants::Grants;
pub use graphql::{ENTITIES, mutations, queries};
pub use identity::Identity;
pub use login::{LoggedIn, SignUpInput, sign_up};
pub use organisation::{NODE as ORGANISATION, Organisation};
pub use token::{KeyError, TokenKeys};
pub use user::User;

/// The root fields that need no log-in. They are executed also beside an access token that is not
/// valid any more: it is just what a client wants to replace.
pub const OPEN_TO_EVERYBODY: &[&str] = &[
    "acceptInvitation",
    "logIn",
    "refreshLogIn",
    "requestPasswordReset",
    "resetPassword",
    "signUp",
    "verifyEmail",
];
