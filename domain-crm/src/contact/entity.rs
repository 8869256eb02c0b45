use async_graphql::{Enum, Json, SimpleObject};

use diesel::prelude::*;
use domain_identity::created_by;
use listing::{
    Date, Entity, Field, Id, Identified, Instant, Named, Offer, Relation, Rule, SeenBy, Sight, Stored,
};
use tenancy::{Permission, Session};
use uuid::Uuid;

use super::parts::{EmailAddress, PhoneNumber, PostalAddress};
use crate::tables::contacts;

const MAX_NAME: usize = 255;
const MAX_NOTES: usize = 10_000;
const MAX_EXTERNAL_ID: usize = 255;
const MAX_TAG: usize = 50;
const MAX_CUSTOM_FIELDS: usize = 16 * 1024;

/// What a contact is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    /// A company or another organisation.
    Company,
    /// A person.
    Person,
}

/// A company or a person the organisation deals with.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = contacts)]
#[graphql(complex)]
pub struct Contact {
    /// The ID.
    pub id: Id<Contact>,
    /// What the contact is; never changes.
    pub(crate) kind: Named<ContactKind>,
    /// The name of the company or the person.
    pub name: String,
    #[graphql(skip)]
    pub(crate) company_id: Option<Id<Contact>>,
    /// The primary e-mail address: the first of `emails`.
    pub email: Option<String>,
    /// The primary telephone number: the first of `phones`.
    pub phone: Option<String>,
    /// The city of the primary address: the first of `addresses`.
    pub city: Option<String>,
    /// The country of the primary address, as it was written down.
    pub country: Option<String>,
    /// The e-mail addresses, the primary one first.
    pub(crate) emails: Stored<Vec<EmailAddress>>,
    /// The telephone numbers, the primary one first.
    pub(crate) phones: Stored<Vec<PhoneNumber>>,
    /// The postal addresses, the primary one first.
    pub(crate) addresses: Stored<Vec<PostalAddress>>,
    /// The birthday of a person.
    pub birthday: Option<Date>,
    /// Labels to file the contact under.
    pub tags: Vec<String>,
    /// Custom fields of the organisation.
    pub(crate) custom_fields: Stored<Json<serde_json::Value>>,
    /// Free text.
    pub notes: Option<String>,
    /// The ID in the system that the record comes from. An import finds the record again by it.
    pub external_id: Option<String>,
    /// When the record was created.
    pub created_at: Instant,
    /// When the record was last changed.
    pub updated_at: Instant,
    #[graphql(skip)]
    pub(crate) created_by: Option<Uuid>,
    /// Counts the changes. Send it as `expectedRevision` with the next change.
    pub revision: i32,
    /// When the record was deleted; null if it is not deleted.
    pub deleted_at: Option<Instant>,
}

listing::related!(Contact);

impl Identified for Contact {
    const NAME: &'static str = "Contact";
    const PREFIX: &'static str = "contact";
}

impl Entity for Contact {
    const ONE: &'static str = "contact";
    const MANY: &'static str = "contacts";
    const TABLE: &'static str = "contacts";
    const OFFERS: &'static [Offer] = Offer::ALL;
    const SEARCHABLE: bool = true;
    const READ: &'static [Permission] = &[Permission::ReadContacts, Permission::ReadOwnContacts];
    const FIELDS: &'static [Field] = &[
        Field::choice::<ContactKind, _>("kind", contacts::kind)
            .required(Rule::Any)
            .or_in_csv(|| ContactKind::COMPANY.into())
            .fixed(),
        Field::new("name", contacts::name).required(Rule::Line(MAX_NAME)),
        Field::id::<Self, _>("companyId", contacts::company_id)
            .optional(Rule::Any)
            .exported_as("company.name"),
        Field::new("email", contacts::email).repeats(),
        Field::new("phone", contacts::phone).repeats(),
        Field::new("city", contacts::city).repeats(),
        Field::new("country", contacts::country).repeats(),
        Field::parts::<EmailAddress, _>("emails", contacts::emails).optional(Rule::parts::<EmailAddress>()),
        Field::parts::<PhoneNumber, _>("phones", contacts::phones).optional(Rule::parts::<PhoneNumber>()),
        Field::parts::<PostalAddress, _>("addresses", contacts::addresses)
            .optional(Rule::parts::<PostalAddress>()),
        Field::new("birthday", contacts::birthday).optional(Rule::Any),
        Field::new("tags", contacts::tags).optional(Rule::Labels(MAX_TAG)),
        Field::new("customFields", contacts::custom_fields).optional(Rule::Object(MAX_CUSTOM_FIELDS)),
        Field::new("notes", contacts::notes).optional(Rule::Lines(MAX_NOTES)),
        Field::new("externalId", contacts::external_id).optional(Rule::Line(MAX_EXTERNAL_ID)),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::one::<Self, _>(
            "company",
            contacts::company_id,
            |it: &Self| it.company_id.map(|id| id.uuid()),
            "The company that this person belongs to.",
        )
        .refers_only_to(contacts::kind, ContactKind::COMPANY),
        Relation::many::<Self, _>("people", contacts::company_id, "The persons who belong to this company."),
        created_by(contacts::created_by, |it: &Self| it.created_by),
    ];

    fn sight(session: &Session) -> Sight {
        if session.holds(Permission::ReadContacts) {
            return Sight::All;
        }
        match session.user() {
            Ok(user) => Sight::ways([SeenBy::own(contacts::created_by, user.user_id)]),
            Err(_) => Sight::None,
        }
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}

impl ContactKind {
    /// As the database and GraphQL spell it.
    pub(crate) const COMPANY: &'static str = "COMPANY";
    /// As the database and GraphQL spell it.
    pub(crate) const PERSON: &'static str = "PERSON";
}
