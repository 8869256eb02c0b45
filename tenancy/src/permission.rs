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
    /// Create, change, delete, restore and import contacts.
    WriteContacts,
    /// Read the catalogue of products.
    ReadProducts,
    /// Create, change, delete, restore and import products.
    WriteProducts,
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
            ManageUsers, OwnAccount, ReadContacts, ReadProducts, ReadUsers, WriteContacts, WriteProducts,
        };
        match (self, permission) {
            (_, OwnAccount) => true,
            (Self::Admin, ManageUsers) => true,
            (
                Self::Manager
                | Self::Staff
                | Self::User
                | Self::TicketAdmin
                | Self::TaskWorker
                | Self::WorkflowCreator
                | Self::Trainer,
                ManageUsers,
            ) => false,
            (
                Self::Admin | Self::Manager,
                ReadUsers | ReadContacts | WriteContacts | ReadProducts | WriteProducts,
            ) => true,
            (Self::Staff, ReadUsers | ReadContacts | WriteContacts | ReadProducts) => true,
            (Self::Staff, WriteProducts) => false,
            (Self::TicketAdmin, ReadUsers | ReadContacts) => true,
            (Self::TicketAdmin, WriteContacts | ReadProducts | WriteProducts) => false,
            (
                Self::User | Self::TaskWorker | Self::WorkflowCreator | Self::Trainer,
                ReadUsers | ReadContacts | WriteContacts | ReadProducts | WriteProducts,
            ) => false,
        }
    }
}
