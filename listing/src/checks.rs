use tenancy::{ErrorCode, Failure, UserError};

use crate::{
    email::{MAX_EMAIL, email_address},
    tidy::tidy,
};

/// Collects what is wrong with an input, so that a user sees all of it at once.
#[derive(Default)]
pub struct Checks(Vec<UserError>);

impl Checks {
    /// Text that must be there: not blank, at most `max` characters, no control characters.
    pub fn required(&mut self, field: &str, value: &str, max: usize) {
        if tidy(value).is_empty() {
            self.invalid(field, "This must not be empty.");
        } else {
            self.text(field, Some(value), max);
        }
    }

    /// One line of text, if there is any.
    pub fn text(&mut self, field: &str, value: Option<&str>, max: usize) {
        self.characters(field, value, max, |character| character.is_control());
    }

    /// Text of several lines, if there is any.
    pub fn multiline(&mut self, field: &str, value: Option<&str>, max: usize) {
        self.characters(field, value, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    }

    /// An e-mail address, if there is any: see [`email_address`]. Whether it works only a mail can tell.
    pub fn email(&mut self, field: &str, value: Option<&str>) {
        match value {
            Some(email) if email.chars().nth(MAX_EMAIL).is_some() => self.text(field, value, MAX_EMAIL),
            Some(email) if email_address(email).is_none() => {
                self.invalid(field, "This is not an e-mail address, such as \"ann@example.org\".");
            }
            _ => {}
        }
    }

    /// Something is wrong with this field.
    pub fn invalid(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(UserError::new(ErrorCode::Invalid, field, message));
    }

    fn characters(&mut self, field: &str, value: Option<&str>, max: usize, refused: fn(char) -> bool) {
        let Some(value) = value else { return };
        if value.chars().count() > max {
            self.invalid(field, format!("This has more than {max} characters."));
        } else if value.chars().any(refused) {
            self.invalid(field, "This contains control characters.");
        }
    }

    /// Whether something is wrong with this field already.
    pub(crate) fn mentions(&self, field: &str) -> bool {
        self.0
            .iter()
            .any(|error| error.field.as_ref().and_then(|path| path.first()).is_some_and(|at| at == field))
    }

    /// What was found.
    pub fn errors(self) -> Vec<UserError> {
        self.0
    }

    /// Passes if nothing was found.
    ///
    /// # Errors
    /// All that was found.
    pub fn finish(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::User(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(check: impl FnOnce(&mut Checks)) -> usize {
        let mut checks = Checks::default();
        check(&mut checks);
        checks.errors().len()
    }

    #[test]
    fn control_characters_are_refused_and_lines_only_where_they_belong() {
        assert_eq!(verdict(|c| c.text("name", Some("a\0b"), 9)), 1);
        assert_eq!(verdict(|c| c.text("name", Some("a\nb"), 9)), 1);
        assert_eq!(verdict(|c| c.multiline("notes", Some("a\nb"), 9)), 0);
        assert_eq!(verdict(|c| c.multiline("notes", Some("a\0b"), 9)), 1);
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(verdict(|c| c.required("name", "äöü", 3)), 0);
        assert_eq!(verdict(|c| c.required("name", "äöüx", 3)), 1);
        assert_eq!(verdict(|c| c.required("name", " ", 3)), 1);
    }
}
