//! The one rule for e-mail addresses: what an input accepts, a mail can be sent to.

use lettre::Address;

use crate::tidy::is_invisible;

/// The longest address (RFC 5321, section 4.5.3.1.3).
pub(crate) const MAX_EMAIL: usize = 254;

/// The address that mail is sent to, its domain in ASCII (punycode, RFC 5891); nothing for what is no
/// address.
pub fn email_address(text: &str) -> Option<Address> {
    if text.chars().count() > MAX_EMAIL
        || text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control() || is_invisible(character))
    {
        return None;
    }
    let (user, domain) = text.rsplit_once('@')?;
    // A quoted part may hold whatever it likes, and the mailer does not write all of it back.
    if user.contains('"') {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let address = Address::new(user, domain).ok()?;
    // A domain in brackets is an address of a machine.
    (!address.domain().starts_with('[')).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mail_is_sent_to() {
        for (given, sent) in [
            ("a@b", "a@b"),
            ("ada.lovelace+x@example.org", "ada.lovelace+x@example.org"),
            ("Ada@Example.ORG", "Ada@example.org"),
            ("ü@exämple.org", "ü@xn--exmple-cua.org"),
            ("o'neil@x.example", "o'neil@x.example"),
        ] {
            assert_eq!(
                email_address(given).map(|address| address.to_string()).as_deref(),
                Some(sent),
                "{given}"
            );
        }
    }

    #[test]
    fn what_the_mailer_would_refuse_is_no_address() {
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\0",
            "\"a,b<c>\"@example.org",
            "\"a@b\"@example.org",
            "<ann@x.example>",
            "ann@x.example;",
            "a..b@x.example",
            ".a@x.example",
            "a.@x.example",
            "mailto:ann@x.example",
            "ann\u{200b}@x.example",
            "ann@x.example\u{feff}",
            "\u{202e}ann@x.example",
            "ann@x..example",
            "ann@-x.example",
            "ann@x_y.example",
            "ann@[127.0.0.1]",
            "Ann <ann@x.example>",
            "ann@x.example, bob@x.example",
            &format!("{}@x.example", "a".repeat(65)),
        ] {
            assert_eq!(email_address(bad), None, "{bad:?}");
        }
    }
}
