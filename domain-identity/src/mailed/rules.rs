//! Pure rules of what is mailed.

use chrono::TimeDelta;
use listing::{Checks, tidy};
use tenancy::{Failure, Role};

use super::graphql::InviteUserInput;
use crate::login::rules;

/// The input with its edges trimmed and each role once, if all of it can be used.
pub(super) fn check_invitation(input: InviteUserInput) -> Result<(InviteUserInput, Vec<Role>), Failure> {
    let trimmed = |text: String| tidy(&text).to_owned();
    let mut roles = vec![];
    for role in input.roles.clone().unwrap_or_else(|| vec![Role::User]) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let input = InviteUserInput {
        email: trimmed(input.email),
        first_name: trimmed(input.first_name),
        last_name: trimmed(input.last_name),
        roles: None,
    };
    let mut checks = Checks::default();
    checks.email("email", Some(&input.email));
    rules::names(&mut checks, &input.first_name, &input.last_name);
    if roles.is_empty() {
        checks.invalid("roles", "Name at least one role.");
    }
    checks.finish()?;
    Ok((input, roles))
}

/// A password that somebody chooses.
pub(super) fn check_password(password: &str) -> Result<(), Failure> {
    let mut checks = Checks::default();
    rules::password(&mut checks, password);
    checks.finish()
}

/// A span of time in the words of a mail: in days or, if it is shorter, in hours.
pub(super) fn in_words(span: TimeDelta) -> String {
    let (count, unit) =
        if span < TimeDelta::days(1) { (span.num_hours(), "hour") } else { (span.num_days(), "day") };
    if count == 1 { format!("one {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(roles: Option<Vec<Role>>) -> InviteUserInput {
        InviteUserInput {
            email: " ada@example.org ".to_owned(),
            first_name: " Ada".to_owned(),
            last_name: "Lovelace ".to_owned(),
            roles,
        }
    }

    #[test]
    fn an_invitation_is_trimmed_and_names_each_role_once() {
        let roles = vec![Role::Staff, Role::User, Role::Staff];
        let (checked, roles) = check_invitation(input(Some(roles))).unwrap();
        assert_eq!((checked.email.as_str(), checked.first_name.as_str()), ("ada@example.org", "Ada"));
        assert_eq!(roles, [Role::Staff, Role::User]);
        assert_eq!(check_invitation(input(None)).unwrap().1, [Role::User]);
        assert!(check_invitation(input(Some(vec![]))).is_err());
    }

    #[test]
    fn spans_in_words() {
        assert_eq!(in_words(TimeDelta::hours(1)), "one hour");
        assert_eq!(in_words(TimeDelta::hours(5)), "5 hours");
        assert_eq!(in_words(TimeDelta::days(1)), "one day");
        assert_eq!(in_words(TimeDelta::days(7)), "7 days");
    }
}
