use async_graphql::{Enum, resolver_utils::EnumType};

/// A permission, which a use case requires before it reads or writes.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read the own profile and organisation, manage the own log-in sessions.
    OwnAccount,
    /// Read the users of the organisation.
    ReadUsers,
    /// Invite users and set their roles.
    ManageUsers,
    /// Read contacts.
    ReadContacts,
    /// Read the contacts that one has added oneself. No role holds it: sessions are granted it.
    ReadOwnContacts,
    /// Create, change, delete, restore and import contacts.
    WriteContacts,
    /// Read products.
    ReadProducts,
    /// Create, change, delete, restore and import products.
    WriteProducts,
    /// Read webhook endpoints and their deliveries.
    ReadWebhooks,
    /// Create, change, delete and ping webhook endpoints, read and rotate their secrets, replay deliveries.
    WriteWebhooks,
    /// Read dead letters.
    ReadDeadLetters,
    /// Replay and dismiss dead letters.
    WriteDeadLetters,
}

impl Permission {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::items().iter().map(|item| item.value)
    }
}

/// A role in an organisation. A user has any number of roles.
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
    /// Whether the role grants a permission. The README has the same table.
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
