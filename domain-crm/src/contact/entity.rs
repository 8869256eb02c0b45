use std::sync::Arc;

// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{
    ComplexObject, Context, Enum, InputObject, MaybeUndefined, OutputType, Result, SimpleObject,
};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain_identity::User;
use listing::{
    Changeable, Children, ChildrenLoader, Entity, Field, GivenId, Id, Identified, Named, Relation,
};
use tenancy::{Failure, Permission};
use uuid::Uuid;

use crate::{Loaders, tables::contacts};

/// What a contact is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    /// An organisation of any sort.
    Company,
    /// A single human being.
    Person,
}

/// A company or a person the organisation deals with.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = contacts)]
#[graphql(complex)]
pub struct Contact {
    /// The id.
    pub id: Id<Contact>,
    /// What it is; never changes.
    pub(crate) kind: Named<ContactKind>,
    #[graphql(skip)]
    pub(crate) company_id: Option<Uuid>,
    /// The name of the company or the person.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number, as it was written down.
    pub phone: Option<String>,
    /// The country, as it was written down.
    pub country: Option<String>,
    /// Whatever else is worth knowing; several lines.
    pub notes: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    pub(crate) created_by: Option<Uuid>,
    /// Counts the changes; give it as `expectedRevision`.
    pub revision: i32,
    /// When it was deleted; null for everything that queries and lists answer.
    pub deleted_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl Contact {
    /// The company that this person belongs to.
    async fn company(&self, ctx: &Context<'_>) -> Result<Option<Arc<Contact>>> {
        match self.company_id {
            Some(id) => Ok(Loaders::of(ctx)?.contacts.load(id).await?),
            None => Ok(None),
        }
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn people(&self) -> Children<People> {
        Children::of(self.id.uuid())
    }

    /// Who added it; null if that was no user, or one who is gone.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<Arc<User>>> {
        match self.created_by {
            Some(id) => Ok(domain_identity::Loaders::of(ctx)?.users.load(id).await?),
            None => Ok(None),
        }
    }
}

impl Identified for Contact {
    const NAME: &'static str = "Contact";
    const PREFIX: &'static str = "contact";
}

impl Entity for Contact {
    const ONE: &'static str = "contact";
    const MANY: &'static str = "contacts";
    const TABLE: &'static str = "contacts";
    const READ: Permission = Permission::ReadContacts;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", contacts::name, "By name.", |contact| contact.name.as_str().into()),
        Field::new("email", contacts::email, "By e-mail.", |contact| contact.email.as_deref().into()),
        Field::new("country", contacts::country, "By country.", |contact| contact.country.as_deref().into()),
        Field::new("createdAt", contacts::created_at, "By when it was added.", |contact| {
            contact.created_at.into()
        }),
        Field::new("updatedAt", contacts::updated_at, "By its last change.", |contact| {
            contact.updated_at.into()
        }),
    ];

    fn id(&self) -> Uuid {
        self.id.uuid()
    }
}

impl Changeable for Contact {
    const WRITE: Permission = Permission::WriteContacts;
}

/// A company's people.
pub(crate) struct People;

impl Relation for People {
    type Child = Contact;
    const FIELD: &'static str = "people";
    const COLUMN: &'static str = "company_id";
    const ABOUT: &'static str = "The persons who belong to this company, page by page; none for a person.";

    fn loader<'c>(ctx: &Context<'c>) -> Result<&'c ChildrenLoader<Self>, Failure> {
        Ok(&Loaders::of(ctx)?.people)
    }
}

/// A new contact.
#[derive(InputObject)]
pub(crate) struct CreateContactInput {
    /// What it is.
    pub(crate) kind: ContactKind,
    /// The name, at most 255 characters.
    pub(crate) name: String,
    /// The company of a person.
    pub(crate) company_id: Option<GivenId<Contact>>,
    /// The e-mail address, at most 254 characters.
    pub(crate) email: Option<String>,
    /// The telephone number, at most 50 characters.
    pub(crate) phone: Option<String>,
    /// The country, at most 100 characters.
    pub(crate) country: Option<String>,
    /// Whatever else is worth knowing, at most 10,000 characters.
    pub(crate) notes: Option<String>,
    /// Any text that names this wish: repeated with the same input it answers the same contact
    /// again, for 24 hours.
    pub(crate) idempotency_key: Option<String>,
}

/// What to change of a contact: a field that is absent stays, a null empties it where it may be empty.
#[derive(InputObject)]
pub(crate) struct UpdateContactInput {
    /// Which one.
    pub(crate) id: GivenId<Contact>,
    /// The `revision` you know; CONFLICT if it has changed.
    pub(crate) expected_revision: i32,
    /// The name, at most 255 characters; cannot be emptied.
    pub(crate) name: MaybeUndefined<String>,
    /// The company of a person.
    pub(crate) company_id: MaybeUndefined<GivenId<Contact>>,
    /// The e-mail address, at most 254 characters.
    pub(crate) email: MaybeUndefined<String>,
    /// The telephone number, at most 50 characters.
    pub(crate) phone: MaybeUndefined<String>,
    /// The country, at most 100 characters.
    pub(crate) country: MaybeUndefined<String>,
    /// Whatever else is worth knowing, at most 10,000 characters.
    pub(crate) notes: MaybeUndefined<String>,
}

#[derive(Insertable)]
#[diesel(table_name = contacts)]
pub(crate) struct NewContact {
    pub(crate) id: Uuid,
    pub(crate) kind: Named<ContactKind>,
    pub(crate) company_id: Option<Uuid>,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) notes: Option<String>,
}

#[derive(AsChangeset)]
#[diesel(table_name = contacts)]
pub(crate) struct ContactPatch {
    pub(crate) name: Option<String>,
    pub(crate) company_id: Option<Option<Uuid>>,
    pub(crate) email: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) country: Option<Option<String>>,
    pub(crate) notes: Option<Option<String>>,
}
