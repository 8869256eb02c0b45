//! Pure rules of log-in.

use listing::{Checks, tidy};
use tenancy::Failure;
use uuid::Uuid;

use super::graphql::SignUpInput;

/// The shortest password (NIST SP 800-63B asks for at least eight).
const MIN_PASSWORD: usize = 8;
/// The longest, so that hashing stays cheap.
const MAX_PASSWORD: usize = 256;
const MAX_NAME: usize = 100;
const MAX_ORGANISATION: usize = 255;
const MAX_SLUG: usize = 40;

/// The input with its edges trimmed, if all of it can be used.
pub(super) fn check_sign_up(input: SignUpInput) -> Result<SignUpInput, Failure> {
    let trimmed = |text: String| tidy(&text).to_owned();
    let input = SignUpInput {
        organisation_name: trimmed(input.organisation_name),
        slug: input.slug.map(trimmed),
        email: trimmed(input.email),
        password: input.password,
        first_name: trimmed(input.first_name),
        last_name: trimmed(input.last_name),
    };
    let mut checks = Checks::default();
    checks.required("organisationName", &input.organisation_name, MAX_ORGANISATION);
    names(&mut checks, &input.first_name, &input.last_name);
    checks.email("email", Some(&input.email));
    password(&mut checks, &input.password);
    if input.slug.as_deref().is_some_and(|slug| !is_slug(slug)) {
        checks.invalid("slug", format!("A short name has up to {MAX_SLUG} letters a-z, digits and hyphens."));
    }
    checks.finish()?;
    Ok(input)
}

/// The two names of a new user.
pub(crate) fn names(checks: &mut Checks, first_name: &str, last_name: &str) {
    checks.required("firstName", first_name, MAX_NAME);
    checks.required("lastName", last_name, MAX_NAME);
}

/// A password that somebody chooses.
pub(crate) fn password(checks: &mut Checks, password: &str) {
    let length = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        checks.invalid("password", format!("A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."));
    }
}

fn is_slug(slug: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !slug.is_empty() && slug.len() <= MAX_SLUG && slug.chars().all(plain) && !slug.starts_with('-')
}

/// Whether an account could have this e-mail at all; PostgreSQL takes no NUL.
pub(super) fn is_askable(email: &str) -> bool {
    let mut checks = Checks::default();
    checks.email("email", Some(email));
    checks.finish().is_ok()
}

/// The membership to log in to, of an account's active ones, oldest first.
pub(crate) fn choose(
    memberships: &[(Uuid, Uuid)],
    asked: Option<Uuid>,
    used_last: Option<Uuid>,
) -> Result<(Uuid, Uuid), Failure> {
    let of = |organisation_id| memberships.iter().find(|(of, _)| Some(*of) == organisation_id).copied();
    let found = match asked {
        Some(_) => of(asked),
        None => of(used_last).or_else(|| memberships.first().copied()),
    };
    found.ok_or_else(|| Failure::not_found("organisationId"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asked_membership_wins_then_the_last_then_the_oldest() {
        let [old, new, foreign] = [1, 2, 3].map(Uuid::from_u128);
        let memberships = [(old, Uuid::nil()), (new, Uuid::nil())];
        let chosen =
            |asked, last| choose(&memberships, asked, last).ok().map(|(organisation, _)| organisation);
        assert_eq!(chosen(None, None), Some(old));
        assert_eq!(chosen(None, Some(new)), Some(new));
        assert_eq!(chosen(None, Some(foreign)), Some(old));
        assert_eq!(chosen(Some(old), Some(new)), Some(old));
        assert_eq!(chosen(Some(foreign), Some(new)), None);
    }

    #[test]
    fn short_names() {
        for good in ["a", "a-1", "alfreds-futterkiste"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "ä", &"a".repeat(41)] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
