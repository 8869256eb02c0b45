use crate::field::{self, Field};

/// What becomes of the rows of an entity. It decides which of the standard fields there are, and what
/// the service's database role may do with the table; a test holds the grants to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// They can be changed, deleted softly and restored: `createdAt`, `updatedAt`, `revision`,
    /// `deletedAt`.
    Deletable,
    /// They can be changed, and stay: `createdAt`, `updatedAt`, `revision`.
    Kept,
    /// They are written once: `createdAt`.
    AppendOnly,
}

impl Life {
    /// Whether rows can be deleted, and restored.
    pub(crate) const fn is_deletable(self) -> bool {
        matches!(self, Self::Deletable)
    }

    /// The fields that every entity with this life ends with.
    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Deletable => field::DELETABLE,
            Self::Kept => field::KEPT,
            Self::AppendOnly => field::APPEND_ONLY,
        }
    }
}
