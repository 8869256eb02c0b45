use async_graphql::Enum;

/// What a use case may ask for before it reads or changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read one's own profile and organisation, manage one's own log-in session.
    OwnAccount,
    /// See the users of the organisation.
    ReadUsers,
    /// Invite users, and say what they may do.
    ManageUsers,
    /// Read contacts.
    ReadContacts,
    /// Read the contacts that one has added oneself. No role holds it: sessions are granted it.
    ReadOwnContacts,
    /// Create, change, delete, restore and import contacts.
    WriteContacts,
    /// Read the catalogue of products.
    ReadProducts,
    /// Create, change, delete, restore and import products.
    WriteProducts,
    /// See webhook endpoints and what they were told.
    ReadWebhooks,
    /// Create, change, delete, try and rotate webhook endpoints, see their secrets, replay deliveries.
    WriteWebhooks,
    /// See what could not be done in the background.
    ReadDeadLetters,
    /// Replay and dismiss what could not be done in the background.
    WriteDeadLetters,
}

/// What a user may do in an organisation. A user holds any number of roles.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in the organisation.
    Admin,
    /// All business data and team figures; no users, roles or keys.
    Manager,
    /// Contacts, events, services and tickets: read and write.
    Staff,
    /// Own profile, inbox, tickets, tasks and learning.
    User,
    /// All tickets and tasks.
    TicketAdmin,
    /// Own and unassigned tasks.
    TaskWorker,
    /// Definitions of workflows, tasks and tickets.
    WorkflowCreator,
    /// Own training sessions.
    Trainer,
}

impl Role {
    /// The one table of who may do what; it stands in the README.
    pub fn allows(self, permission: Permission) -> bool {
        use Permission::{
            ManageUsers, OwnAccount, ReadContacts, ReadDeadLetters, ReadOwnContacts, ReadProducts, ReadUsers,
            ReadWebhooks, WriteContacts, WriteDeadLetters, WriteProducts, WriteWebhooks,
        };
        use Role::{Admin, Manager, Staff, TicketAdmin};
        match permission {
            OwnAccount => true,
            ReadOwnContacts => false,
            ReadUsers | ReadContacts => matches!(self, Admin | Manager | Staff | TicketAdmin),
            WriteContacts | ReadProducts => matches!(self, Admin | Manager | Staff),
            WriteProducts => matches!(self, Admin | Manager),
            ManageUsers | ReadWebhooks | WriteWebhooks | ReadDeadLetters | WriteDeadLetters => self == Admin,
        }
    }
}
