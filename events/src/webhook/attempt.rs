//! What became of one attempt to deliver, and the rules by which an answer is classified.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};

/// The longest wait that an endpoint can ask for: a longer one would be a delivery forgotten.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);
/// What is kept of an answer for people to look at, in bytes.
pub const RESPONSE_KEPT: usize = 1_024;

/// What became of one attempt, to be kept and shown to the owner of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The status that the endpoint answered, if it did.
    pub status: Option<u16>,
    /// Why it was not delivered, as a sentence for the endpoint's owner; it tells nothing of our network.
    pub error: Option<String>,
    /// The beginning of what the endpoint answered, at most [`RESPONSE_KEPT`] bytes; no control
    /// characters but line breaks and tabs. Absent if there was none.
    pub response: Option<String>,
    /// How long it took, from the look-up of the name to the last byte read.
    pub duration: Duration,
    /// What to do next.
    pub outcome: Outcome,
}

/// What is to be done after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the endpoint has it (2xx).
    Delivered,
    /// Try again later.
    Retry {
        /// No sooner than this, if the endpoint said so; at most [`MAX_RETRY_AFTER`].
        after: Option<Duration>,
    },
    /// Disable the endpoint: it wants no more (410, as the Standard Webhooks specification has it).
    Gone,
    /// Do not try this delivery again: nothing was sent, because it may not be sent there. For a name that
    /// leads inwards too, though that may change: it is its owner's to mend or else an attack, and
    /// each further try would be another chance to find the moment at which the name leads elsewhere.
    /// The next event tries anew, and so can people.
    Refused,
}

/// What a status means, with the reason if it is no success.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap) -> (Outcome, Option<String>) {
    if status.is_success() {
        return (Outcome::Delivered, None);
    }
    if status == StatusCode::GONE {
        return (Outcome::Gone, Some("It answered that it is gone (410).".to_owned()));
    }
    let code = status.as_u16();
    let error = if status.is_redirection() {
        format!("It answered with a redirect ({code}), which is not followed: name the final address.")
    } else {
        format!("It answered with status {code}.")
    };
    let may_ask = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let after = may_ask.then(|| retry_after(headers)).flatten();
    (Outcome::Retry { after }, Some(error))
}

/// The seconds of `Retry-After` (RFC 9110, section 10.2.3). Its other form, a date, would need the
/// endpoint's clock to be right, and is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The beginning of an answer as text that does no harm where it is shown or kept.
pub(super) fn printable(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        let character = if is_harmful(character) { char::REPLACEMENT_CHARACTER } else { character };
        // A character put for a byte may be longer than it.
        if text.len() + character.len_utf8() > RESPONSE_KEPT {
            break;
        }
        text.push(character);
    }
    (!text.is_empty()).then_some(text)
}

// Terminals obey control characters, PostgreSQL takes no NUL, and marks of direction turn text around.
fn is_harmful(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn classified(status: u16, retry_after: Option<&'static str>) -> Outcome {
        let headers =
            retry_after.map(|value| (RETRY_AFTER, HeaderValue::from_static(value))).into_iter().collect();
        let (outcome, error) = classify(StatusCode::from_u16(status).unwrap(), &headers);
        assert_eq!(error.is_none(), outcome == Outcome::Delivered);
        assert!(error.is_none_or(|error| error.contains(&status.to_string())));
        outcome
    }

    #[test]
    fn a_success_is_delivered_410_is_gone_and_all_else_is_tried_again() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(classified(status, None), Outcome::Delivered);
        }
        assert_eq!(classified(410, None), Outcome::Gone);
        for status in [101, 301, 302, 304, 307, 308, 400, 401, 404, 409, 411, 429, 500, 503, 599, 999] {
            assert_eq!(classified(status, None), Outcome::Retry { after: None });
        }
    }

    #[test]
    fn an_endpoint_can_ask_for_time_but_not_for_ever() {
        let after = |seconds| Outcome::Retry { after: Some(Duration::from_secs(seconds)) };
        for status in [429, 503] {
            assert_eq!(classified(status, Some("0")), after(0));
            assert_eq!(classified(status, Some(" 120 ")), after(120));
            assert_eq!(classified(status, Some("86401")), after(86_400));
            for unread in
                ["", "-1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999"]
            {
                assert_eq!(classified(status, Some(unread)), Outcome::Retry { after: None }, "{unread}");
            }
        }
        assert_eq!(classified(500, Some("120")), Outcome::Retry { after: None });
        assert_eq!(classified(301, Some("120")), Outcome::Retry { after: None });
    }

    #[test]
    fn what_is_kept_of_an_answer_is_short_and_harmless() {
        assert_eq!(printable(b""), None);
        assert_eq!(printable(b"{\"ok\":\ttrue}\r\n").as_deref(), Some("{\"ok\":\ttrue}\r\n"));
        let harmful = "\u{1b}[2J\0\u{7f}\u{9b}1m\u{202e}txt\u{2066}";
        assert_eq!(printable(harmful.as_bytes()).as_deref(), Some("�[2J���1m�txt�"));
        assert_eq!(printable(b"\xff\xc3").as_deref(), Some("��"));
        assert_eq!(printable(&[0xff; RESPONSE_KEPT]).unwrap().len(), RESPONSE_KEPT - RESPONSE_KEPT % 3);
        assert_eq!(printable("é".repeat(RESPONSE_KEPT).as_bytes()).unwrap().len(), RESPONSE_KEPT);
    }
}
