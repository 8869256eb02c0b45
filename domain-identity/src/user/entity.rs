use async_graphql::SimpleObject;

use diesel::prelude::*;
use listing::{Entity, Field, Id, Identified, Instant, Named, Relation, Sight};
use tenancy::{Permission, Role, Session};
use uuid::Uuid;

use crate::{created_by::created_by, tables::users};

/// Somebody who works in this organisation.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = users)]
#[graphql(complex)]
pub struct User {
    /// The ID.
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
    pub created_at: Instant,
    /// When the user was last changed.
    pub updated_at: Instant,
    #[graphql(skip)]
    pub(crate) created_by: Option<Uuid>,
    /// Counts the changes.
    pub revision: i32,
    /// When the record was deleted; null if it is not deleted.
    pub deleted_at: Option<Instant>,
}

listing::related!(User {
    /// What the user may do in the organisation, by the roles. A front end can hide what is not among
    /// it.
    async fn permissions(&self) -> Vec<Permission> {
        let allowed = |permission: &Permission| self.roles.iter().any(|role| role.0.allows(*permission));
        Permission::all().filter(allowed).collect()
    }
});

impl Identified for User {
    const NAME: &'static str = "User";
    const PREFIX: &'static str = "user";
}

impl Entity for User {
    const ONE: &'static str = "user";
    const MANY: &'static str = "users";
    const TABLE: &'static str = "users";
    const READ: &'static [Permission] = &[Permission::ReadUsers];
    const FIELDS: &'static [Field] = &[
        Field::new("name", users::name),
        Field::new("firstName", users::first_name),
        Field::new("lastName", users::last_name),
        Field::new("email", users::email),
        Field::choices::<Role, _>("roles", users::roles),
        Field::new("active", users::active),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[created_by(users::created_by, |it: &Self| it.created_by)];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}
