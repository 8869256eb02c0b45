use async_graphql::SimpleObject;

use diesel::prelude::*;
use listing::{Id, Identified, Instant, TimeZone};
use uuid::Uuid;

use crate::tables::organisations;

/// The longest that is made from a name: leaves room for a hyphen and six digits in the forty there are.
const MAX_SLUG: usize = 33;

/// A customer of Tessera: everything else belongs to one, and no other sees it.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = organisations)]
pub struct Organisation {
    /// The ID.
    pub id: Id<Organisation>,
    /// The short name, unique among all organisations.
    pub slug: String,
    /// The display name.
    pub name: String,
    /// The name of what the organisation has subscribed to; `starter` at first.
    pub plan: String,
    /// The time zone in which the organisation's days begin.
    pub time_zone: TimeZone,
    /// The ISO 4217 currency of its amounts.
    pub currency: String,
    /// When the organisation was created.
    pub created_at: Instant,
    /// When the organisation was last changed.
    pub updated_at: Instant,
    /// Counts the changes. Send it as `expectedRevision` with the next change.
    pub revision: i32,
}

// No `Entity`: nobody lists organisations but the platform's staff.
impl Identified for Organisation {
    const NAME: &'static str = "Organisation";
    const PREFIX: &'static str = "organisation";
}

#[derive(Insertable)]
#[diesel(table_name = organisations)]
pub(crate) struct NewOrganisation {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
}

/// A short name from a name: lower-case letters, digits and single hyphens, never empty.
pub(crate) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for character in name.to_lowercase().chars().take(MAX_SLUG) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "organisation".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        assert_eq!(slug_of("Alfreds Futterkiste & Söhne!"), "alfreds-futterkiste-s-hne");
        assert_eq!(slug_of("株式会社"), "organisation");
        assert!(slug_of(&"x".repeat(500)).len() <= MAX_SLUG);
    }
}
