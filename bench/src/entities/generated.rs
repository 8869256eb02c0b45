//! Thirty-nine entities of one form over one table: with the fields, relations and mutations of a contact.

// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, OutputType, SimpleObject};

use diesel::prelude::*;
use domain_crm::Contact;
use domain_identity::User;
use listing::{
    Date, Editable, Entity, Field, Id, Identified, Instant, Members, Nothing, Offer, Queries, Related,
    Relation, Rule, Sight,
};
use tenancy::{Permission, Session};
use uuid::Uuid;

diesel::table! {
    contacts (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        name -> Text,
        company_id -> Nullable<Uuid>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        city -> Nullable<Text>,
        country -> Nullable<Text>,
        birthday -> Nullable<Date>,
        tags -> Array<Text>,
        notes -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

macro_rules! entities {
    ($($entity:ident $one:literal $many:literal $prefix:literal;)*) => {
        $(
            /// One of many entities.
            #[derive(Queryable, Selectable, SimpleObject, Clone)]
            #[diesel(table_name = contacts)]
            #[graphql(complex)]
            struct $entity {
                /// The id.
                id: Id<$entity>,
                /// What it is called.
                name: String,
                #[graphql(skip)]
                company_id: Option<Uuid>,
                /// An e-mail address.
                email: Option<String>,
                /// A telephone number.
                phone: Option<String>,
                /// A city.
                city: Option<String>,
                /// A country.
                country: Option<String>,
                /// A date.
                birthday: Option<Date>,
                /// What it is filed under.
                tags: Vec<String>,
                /// Whatever else is worth knowing.
                notes: Option<String>,
                /// When it was added.
                created_at: Instant,
                /// When it was last changed.
                updated_at: Instant,
                #[graphql(skip)]
                created_by: Option<Uuid>,
                /// Counts the changes.
                revision: i32,
                /// When it was deleted.
                deleted_at: Option<Instant>,
            }

            #[ComplexObject]
            impl $entity {
                #[graphql(flatten)]
                async fn related(&self) -> Related<'_, $entity> {
                    Related(self)
                }
            }

            impl Identified for $entity {
                const NAME: &'static str = stringify!($entity);
                const PREFIX: &'static str = $prefix;
            }

            impl Entity for $entity {
                const ONE: &'static str = $one;
                const MANY: &'static str = $many;
                const TABLE: &'static str = "contacts";
                const OFFERS: &'static [Offer] = Offer::ALL;
                const READ: &'static [Permission] = &[Permission::ReadContacts];
                const FIELDS: &'static [Field] = &[
                    Field::new("name", contacts::name).required(Rule::Line(255)),
                    Field::id::<Contact, _>("companyId", contacts::company_id).optional(Rule::Any),
                    Field::new("email", contacts::email),
                    Field::new("phone", contacts::phone),
                    Field::new("city", contacts::city),
                    Field::new("country", contacts::country),
                    Field::new("birthday", contacts::birthday).optional(Rule::Any),
                    Field::new("tags", contacts::tags).optional(Rule::Labels(50)),
                    Field::new("notes", contacts::notes).optional(Rule::Lines(10_000)),
                ];
                const RELATIONS: &'static [Relation<Self>] = &[
                    Relation::one::<Contact, _>(
                        "company",
                        contacts::company_id,
                        |it: &Self| it.company_id,
                        "The company that it belongs to.",
                    ),
                    Relation::one::<User, _>(
                        "createdBy",
                        contacts::created_by,
                        |it: &Self| it.created_by,
                        "Who added it.",
                    ),
                ];

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

            impl Editable for $entity {
                const WRITE: Permission = Permission::WriteContacts;
                type Further = Nothing;
            }
        )*

        /// How many there are.
        pub(super) const COUNT: usize = [$($one),*].len();

        /// The queries of all of them.
        pub(super) fn queries() -> Members {
            Members::default()$(.with(Queries::<$entity>::default()))*
        }

        /// Their mutations.
        pub(super) fn mutations() -> Members {
            Members::default()$(.mutations::<$entity>())*
        }
    };
}

entities! {
    Ticket "ticket" "tickets" "ticket";
    TicketType "ticketType" "ticketTypes" "ticket_type";
    Task "task" "tasks" "task";
    TaskInstance "taskInstance" "taskInstances" "task_instance";
    Workflow "workflow" "workflows" "workflow";
    WorkflowInstance "workflowInstance" "workflowInstances" "workflow_instance";
    Milestone "milestone" "milestones" "milestone";
    SlaPolicy "slaPolicy" "slaPolicies" "sla_policy";
    SlaClock "slaClock" "slaClocks" "sla_clock";
    Absence "absence" "absences" "absence";
    Holiday "holiday" "holidays" "holiday";
    Skill "skill" "skills" "skill";
    Team "team" "teams" "team";
    Worker "worker" "workers" "worker";
    Watcher "watcher" "watchers" "watcher";
    Comment "comment" "comments" "comment";
    Attachment "attachment" "attachments" "attachment";
    Activity "activity" "activities" "activity";
    Conversation "conversation" "conversations" "conversation";
    Message "message" "messages" "message";
    Notification "notification" "notifications" "notification";
    Preference "preference" "preferences" "preference";
    Course "course" "courses" "course";
    Lesson "lesson" "lessons" "lesson";
    Enrolment "enrolment" "enrolments" "enrolment";
    Certificate "certificate" "certificates" "certificate";
    Question "question" "questions" "question";
    Attempt "attempt" "attempts" "attempt";
    Webinar "webinar" "webinars" "webinar";
    Participant "participant" "participants" "participant";
    Wallet "wallet" "wallets" "wallet";
    Payment "payment" "payments" "payment";
    Invoice "invoice" "invoices" "invoice";
    Subscription "subscription" "subscriptions" "subscription";
    Service "service" "services" "service";
    Appointment "appointment" "appointments" "appointment";
    Campaign "campaign" "campaigns" "campaign";
    Segment "segment" "segments" "segment";
    Template "template" "templates" "template";
    Survey "survey" "surveys" "survey";
    Goal "goal" "goals" "goal";
    Region "region" "regions" "region";
    Badge "badge" "badges" "badge";
    Budget "budget" "budgets" "budget";
}
