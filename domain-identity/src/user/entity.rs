// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::{Entity, Field, Id, Identified, Named, Related, Relation, Value};
use tenancy::{Permission, Role};
use uuid::Uuid;

use crate::tables::users;

/// Somebody who works in this organisation.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = users)]
#[graphql(complex)]
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
    #[graphql(skip)]
    pub(crate) created_by: Option<Uuid>,
    /// Counts the changes.
    pub revision: i32,
    /// When the user was removed; null for everything that queries and lists answer.
    pub deleted_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl User {
    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn related(&self) -> Related<'_, User> {
        Related(self)
    }
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
        Field::id::<Self, _>("id", users::id, |it: &Self| it.id.uuid().into()),
        Field::new("name", users::name, |it: &Self| (&it.name).into()),
        Field::new("firstName", users::first_name, |it: &Self| it.first_name.as_ref().into()),
        Field::new("lastName", users::last_name, |it: &Self| it.last_name.as_ref().into()),
        Field::new("email", users::email, |it: &Self| (&it.email).into()),
        Field::new("roles", users::roles, |it: &Self| {
            Value::Texts(it.roles.iter().map(|role| role.name().to_owned()).collect())
        }),
        Field::new("active", users::active, |it: &Self| it.active.into()),
        Field::new("createdAt", users::created_at, |it: &Self| it.created_at.into()),
        Field::new("updatedAt", users::updated_at, |it: &Self| it.updated_at.into()),
        Field::new("revision", users::revision, |it: &Self| it.revision.into()).unmeasured(),
        Field::new("deletedAt", users::deleted_at, |it: &Self| it.deleted_at.into()),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[Relation::one::<Self, _>(
        "createdBy",
        users::created_by,
        |it: &Self| it.created_by,
        "Who added the user; null if that was no user, or one who is gone.",
    )];

    fn id(&self) -> Uuid {
        self.id.uuid()
    }
}
