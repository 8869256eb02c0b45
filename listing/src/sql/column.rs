use crate::{kind::Kind, sql::condition::Term};

/// A value that a statement brings of each row: a field as this session may see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    /// The field, as GraphQL calls it.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) term: Term,
}

impl Column {
    /// The row's own id.
    pub(crate) const fn id(prefix: &'static str) -> Self {
        Self { name: "id", kind: Kind::Id(prefix), nullable: false, term: Term::Column("id") }
    }

    /// What the statement calls it where it selects it.
    pub(crate) fn alias(&self) -> &'static str {
        self.term.column().unwrap_or(self.name)
    }
}
