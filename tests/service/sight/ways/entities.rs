//! Entities that only these tests have: tickets, which are seen by each of the ways there are, and their
//! tasks, which are seen with them.

// ComplexObject expects OutputType in scope where it flattens.
use async_graphql::{ComplexObject, Enum, OutputType, SimpleObject};

use diesel::{prelude::*, sql_types as st};
use listing::{
    Act, Changes, Comparison, Condition, Done, Editable, Entity, Field, Id, Identified, Instant, Named,
    Nothing, Offer, Related, Relation, Rule, SeenBy, Sight, Term, Work,
};
use tenancy::{Failure, Permission, Session};
use uuid::Uuid;

/// The tables, which no migration makes. Watchers are rows that come and go.
pub(super) const TABLES: &str = "
    CREATE TABLE tickets (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        id uuid NOT NULL,
        title text NOT NULL,
        team text NOT NULL DEFAULT 'NONE',
        priority text NOT NULL DEFAULT 'LOW',
        priority_rank integer NOT NULL
            GENERATED ALWAYS AS (CASE priority WHEN 'LOW' THEN 1 WHEN 'MEDIUM' THEN 2 ELSE 3 END) STORED,
        requester_id uuid,
        parent_id uuid,
        due_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT service_now(),
        updated_at timestamptz NOT NULL DEFAULT service_now(),
        created_by uuid DEFAULT acting_user(),
        revision integer NOT NULL DEFAULT 1,
        deleted_at timestamptz,
        CONSTRAINT tickets_pkey PRIMARY KEY (organisation_id, id)
    );
    SELECT protect_entity('tickets');
    CREATE TABLE ticket_watchers (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        ticket_id uuid NOT NULL,
        user_id uuid NOT NULL,
        CONSTRAINT ticket_watchers_pkey PRIMARY KEY (organisation_id, ticket_id, user_id)
    );
    SELECT protect_tenant_table('ticket_watchers');
    GRANT SELECT ON ticket_watchers TO tessera_app;
    CREATE TABLE tasks (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        id uuid NOT NULL,
        title text NOT NULL,
        ticket_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT service_now(),
        updated_at timestamptz NOT NULL DEFAULT service_now(),
        created_by uuid DEFAULT acting_user(),
        revision integer NOT NULL DEFAULT 1,
        deleted_at timestamptz,
        CONSTRAINT tasks_pkey PRIMARY KEY (organisation_id, id)
    );
    SELECT protect_entity('tasks');";

diesel::table! {
    tickets (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        title -> Text,
        team -> Text,
        priority -> Text,
        priority_rank -> Integer,
        requester_id -> Nullable<Uuid>,
        parent_id -> Nullable<Uuid>,
        due_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    ticket_watchers (organisation_id, ticket_id, user_id) {
        organisation_id -> Uuid,
        ticket_id -> Uuid,
        user_id -> Uuid,
    }
}

diesel::table! {
    tasks (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        title -> Text,
        ticket_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

/// How soon a ticket is wanted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// Some day.
    Low,
    /// Soon.
    Medium,
    /// At once.
    Urgent,
}

/// What somebody has asked for.
#[derive(Queryable, Selectable, SimpleObject, Clone)]
#[diesel(table_name = tickets)]
#[graphql(complex)]
pub(super) struct Ticket {
    id: Id<Ticket>,
    title: String,
    priority: Named<Priority>,
    due_at: Option<Instant>,
    #[graphql(skip)]
    parent_id: Option<Uuid>,
    created_at: Instant,
    updated_at: Instant,
    revision: i32,
    deleted_at: Option<Instant>,
}

#[ComplexObject]
impl Ticket {
    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn related(&self) -> Related<'_, Ticket> {
        Related(self)
    }
}

impl Identified for Ticket {
    const NAME: &'static str = "Ticket";
    const PREFIX: &'static str = "ticket";
}

impl Entity for Ticket {
    const ONE: &'static str = "ticket";
    const MANY: &'static str = "tickets";
    const TABLE: &'static str = "tickets";
    const OFFERS: &'static [Offer] = Offer::ALL;
    const READ: &'static [Permission] = &[Permission::OwnAccount];
    const FIELDS: &'static [Field] = &[
        Field::new("title", tickets::title).required(Rule::Line(50)),
        Field::choice::<Priority, _>("priority", tickets::priority)
            .or(Rule::Any, || "LOW".into())
            .sorted_by(tickets::priority_rank),
        Field::new("dueAt", tickets::due_at).optional(Rule::Any),
        Field::id::<Self, _>("parentId", tickets::parent_id).optional(Rule::Any),
        Field::expression::<st::Bool>(
            "overdue",
            "coalesce({row}.due_at < service_now(), FALSE)",
            "Whether it is late.",
        ),
        Field::count("partCount", "parts", || Condition::All(vec![]), "How many parts it has."),
        Field::count(
            "urgentPartCount",
            "parts",
            || Condition::Is(Term::Column("priority"), Comparison::Eq, "URGENT".into()),
            "How many of them are urgent.",
        ),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::one::<Self, _>(
            "parent",
            tickets::parent_id,
            |it: &Self| it.parent_id,
            "What it is part of.",
        ),
        Relation::many::<Self, _>("parts", tickets::parent_id, "Its parts."),
        Relation::many::<Task, _>("tasks", tasks::ticket_id, "What is to be done."),
    ];

    /// Who may read users sees all; others what they have asked for, what is open to all, and what they
    /// watch.
    fn sight(session: &Session) -> Sight {
        if session.holds(Permission::ReadUsers) {
            return Sight::All;
        }
        let Ok(user) = session.user() else { return Sight::None };
        Sight::ways([
            SeenBy::own(tickets::requester_id, user.user_id),
            SeenBy::Most(Condition::Is(Term::Column("team"), Comparison::Eq, "OPEN".into())),
            SeenBy::through(
                "ticket_watchers",
                ticket_watchers::ticket_id,
                ticket_watchers::user_id,
                user.user_id,
            ),
        ])
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}

impl Editable for Ticket {
    const WRITE: Permission = Permission::OwnAccount;
    type Further = Nothing;
}

/// A step, which writes the row that it has locked without asking for it again.
pub(super) struct Close;

impl Act for Close {
    type Row = Ticket;
    type Input = Nothing;
    type Further = Nothing;
    const NAME: &'static str = "closeTicket";
    const ABOUT: &'static str = "Closes a ticket.";
    const NEEDS: Permission = Permission::OwnAccount;
    const PAST: Option<&'static str> = Some("closed");

    async fn run(work: &Work<'_>, ticket: Ticket, _: Nothing) -> Result<Done<Ticket, Nothing>, Failure> {
        let changes = Changes::default().set(tickets::title, "closed");
        Ok(Done::with(work.save(&ticket, changes).await?))
    }
}

/// What is to be done for a ticket.
#[derive(Queryable, Selectable, SimpleObject, Clone)]
#[diesel(table_name = tasks)]
#[graphql(complex)]
pub(super) struct Task {
    id: Id<Task>,
    title: String,
    #[graphql(skip)]
    ticket_id: Uuid,
    created_at: Instant,
    updated_at: Instant,
    revision: i32,
    deleted_at: Option<Instant>,
}

#[ComplexObject]
impl Task {
    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "ComplexObject awaits what it flattens")]
    async fn related(&self) -> Related<'_, Task> {
        Related(self)
    }
}

impl Identified for Task {
    const NAME: &'static str = "Task";
    const PREFIX: &'static str = "task";
}

impl Entity for Task {
    const ONE: &'static str = "task";
    const MANY: &'static str = "tasks";
    const TABLE: &'static str = "tasks";
    const OFFERS: &'static [Offer] = Offer::ALL;
    const READ: &'static [Permission] = &[Permission::OwnAccount];
    const FIELDS: &'static [Field] = &[
        Field::new("title", tasks::title).required(Rule::Line(50)),
        Field::id::<Ticket, _>("ticketId", tasks::ticket_id).required(Rule::Any),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[Relation::one::<Ticket, _>(
        "ticket",
        tasks::ticket_id,
        |it: &Self| Some(it.ticket_id),
        "What it is done for.",
    )];

    fn sight(session: &Session) -> Sight {
        Sight::ways([SeenBy::seen_with::<Ticket, _>(tasks::ticket_id, session)])
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}

impl Editable for Task {
    const WRITE: Permission = Permission::OwnAccount;
    type Further = Nothing;
}
