use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::{Entity, Field, Id, Identified, Named};
use tenancy::{Permission, Role};
use uuid::Uuid;

use crate::tables::users;

/// Somebody who works in this organisation.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = users)]
pub struct User {
    /// The id.
    pub id: Id<User>,
    /// The name to show.
    pub name: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail that the user logs in with.
    pub email: String,
    /// What the user may do.
    pub roles: Vec<Named<Role>>,
    /// Whether the user may log in to this organisation.
    pub active: bool,
    /// When the user joined.
    pub created_at: DateTime<Utc>,
    /// When the user was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts the changes.
    pub revision: i32,
}

impl Identified for User {
    const NAME: &'static str = "User";
    const PREFIX: &'static str = "user";
}

impl Entity for User {
    const ONE: &'static str = "user";
    const MANY: &'static str = "users";
    const TABLE: &'static str = "users";
    const READ: Permission = Permission::ReadUsers;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", users::name, "By name.", |user| user.name.as_str().into()),
        Field::new("email", users::email, "By e-mail.", |user| user.email.as_str().into()),
        Field::new("createdAt", users::created_at, "By when they joined.", |user| user.created_at.into()),
        Field::new("updatedAt", users::updated_at, "By their last change.", |user| user.updated_at.into()),
    ];

    fn id(&self) -> Uuid {
        self.id.uuid()
    }
}
