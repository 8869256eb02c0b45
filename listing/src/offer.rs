/// What an entity offers beside its list, its rows by their ids and exports of what lists show. Its
/// GraphQL fields, inputs and types exist only for what it offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// `contactsAggregate`.
    Figures,
    /// `/export/contacts.csv`.
    Export,
    /// `createContact`.
    Create,
    /// `updateContact`.
    Update,
    /// `deleteContact`.
    Delete,
    /// `restoreContact`.
    Restore,
    /// Of what else is offered, also for several rows at once: `createContacts`, `updateContacts`,
    /// `deleteContacts`, `restoreContacts`.
    Many,
    /// `importContacts`.
    Import,
}

impl Offer {
    /// Everything.
    pub const ALL: &'static [Self] = &[
        Self::Figures,
        Self::Export,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Restore,
        Self::Many,
        Self::Import,
    ];
    /// What a reader needs.
    pub const READ: &'static [Self] = &[Self::Figures, Self::Export];
    /// What a reader needs, and all mutations of a single row.
    pub const ONE_BY_ONE: &'static [Self] =
        &[Self::Figures, Self::Export, Self::Create, Self::Update, Self::Delete, Self::Restore];
}
