//! `search`: the rows that contain what somebody typed.

use async_graphql::Context;
use tenancy::{Failure, Scope};

use crate::{
    any::AnyEntity,
    context::argument,
    limits::{MAX_SEARCH, MAX_WORDS},
    registry,
    sql::{
        condition::{Condition, Table},
        select::Candidates,
        values::values,
    },
};

/// The shortest word whose trigrams an index can look up.
const TRIGRAM: usize = 3;
/// How many matching rows are looked up by their ids. If there are more, the statement looks at row after
/// row in the list's own order instead: it then does not have to look at many to fill a page.
const MAX_CANDIDATES: usize = 1000;

/// What is searched for: at least one word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Search(String);

impl Search {
    /// Reads the argument `search` of the field that is being resolved.
    ///
    /// # Errors
    /// As [`Search::read`].
    pub(crate) fn of(ctx: &Context<'_>, entity: &AnyEntity) -> Result<Option<Self>, Failure> {
        Self::read("search", entity, argument(ctx, "search")?)
    }

    /// Reads a text that is searched for in the rows of an entity. Without a word in it, it is none.
    ///
    /// # Errors
    /// BAD_REQUEST at the argument, if the entity is not searchable or the text too long.
    pub(crate) fn read(
        argument: &str,
        entity: &AnyEntity,
        given: Option<String>,
    ) -> Result<Option<Self>, Failure> {
        match given {
            Some(_) if !entity.searchable => {
                Err(Failure::bad_request(argument, format!("The {} cannot be searched.", entity.many)))
            }
            Some(given) => Self::words(argument, &given),
            None => Ok(None),
        }
    }

    /// Reads a text. Without a word in it, it is none.
    ///
    /// # Errors
    /// BAD_REQUEST at the argument, if the text is too long.
    pub(crate) fn words(argument: &str, given: &str) -> Result<Option<Self>, Failure> {
        let text = given.trim();
        if text.chars().nth(MAX_SEARCH).is_some() {
            let message = format!("Search for at most {MAX_SEARCH} characters.");
            return Err(Failure::bad_request(argument, message));
        }
        // PostgreSQL knows no such character.
        if text.contains('\0') {
            return Err(Failure::bad_request(argument, "A text does not contain the character U+0000."));
        }
        match text.split_whitespace().count() {
            0 => Ok(None),
            words if words > MAX_WORDS => {
                Err(Failure::bad_request(argument, format!("Search for at most {MAX_WORDS} words.")))
            }
            _ => Ok(Some(Self(text.to_owned()))),
        }
    }

    /// What the rows of this table must meet.
    ///
    /// Below row security PostgreSQL uses no index for LIKE. So the index is asked first, and if few rows
    /// match, their ids are a condition as well, for which there is an index. They only say where to look:
    /// whether a row matches, and may be seen, the statement decides by itself.
    ///
    /// # Errors
    /// What the database refuses.
    pub(crate) async fn condition(&self, scope: &Scope, table: &Table) -> Result<Condition, Failure> {
        let matches = Condition::Matches(self.0.clone());
        let has_trigram = self.0.split_whitespace().any(|word| word.chars().nth(TRIGRAM - 1).is_some());
        // Of few rows, each is looked at; so the time that it takes tells nothing of others.
        if !has_trigram || table.is_narrow() {
            return Ok(matches);
        }
        let candidates = Candidates { table: table.clone(), text: self.0.clone(), most: MAX_CANDIDATES + 1 };
        let rows = values(scope, candidates).await?;
        if rows.len() > MAX_CANDIDATES {
            return Ok(matches);
        }
        let ids = rows.iter().filter_map(|row| row.id(0)).collect();
        Ok(Condition::All(vec![Condition::ids(ids), matches]))
    }
}

/// The argument of a list of these entities, if they can be searched.
pub(crate) fn describe(entity: &AnyEntity) -> Option<registry::Input> {
    let about = format!(
        "Only rows that contain every one of these words, anywhere and in any order, ignoring case and accents. At most \
         {MAX_WORDS} words and {MAX_SEARCH} characters."
    );
    entity.searchable.then(|| registry::input("search", "String", &about))
}
