//! The result of one delivery attempt, and how responses are classified.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};

/// The longest `Retry-After` that is honoured.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);
/// How much of a response body is stored, in bytes.
pub const RESPONSE_KEPT: usize = 1_024;

/// The result of one attempt, which is stored and shown to the endpoint's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The HTTP status of the response, if there was one.
    pub status: Option<u16>,
    /// Why the delivery failed, as a sentence for the endpoint's owner; it reveals nothing about our
    /// network.
    pub error: Option<String>,
    /// The start of the response body, at most [`RESPONSE_KEPT`] bytes, without control characters
    /// other than line breaks and tabs. None if it was empty.
    pub response: Option<String>,
    /// The duration, from the DNS lookup to the last byte read.
    pub duration: Duration,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint accepted the delivery (2xx).
    Delivered,
    /// The delivery has to be retried.
    Retry {
        /// The wait that the endpoint requested, if any; at most [`MAX_RETRY_AFTER`].
        after: Option<Duration>,
    },
    /// The endpoint has to be disabled (410, as the Standard Webhooks specification defines).
    Gone,
    /// Nothing was sent, because the address is not allowed; this delivery must not be retried. This
    /// includes names that resolve to private addresses, although that may change: each retry would
    /// give an attacker another chance to switch the address between check and connection. The next
    /// event and a manual replay start a new attempt.
    Refused,
}

/// The outcome for a status, with an error sentence unless it is a success.
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

/// The seconds of `Retry-After` (RFC 9110, section 10.2.3). The date form is ignored, because it
/// depends on the endpoint's clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The start of a response body as text that is safe to store and to display.
pub(super) fn printable(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        let character = if is_harmful(character) { char::REPLACEMENT_CHARACTER } else { character };
        // The replacement character is longer than the byte it replaces.
        if text.len() + character.len_utf8() > RESPONSE_KEPT {
            break;
        }
        text.push(character);
    }
    (!text.is_empty()).then_some(text)
}

// Terminals interpret control characters, PostgreSQL rejects NUL, and bidirectional controls reorder
// text.
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
