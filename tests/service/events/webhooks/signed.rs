//! Signatures as the Standard Webhooks specification defines, verified without the code of the service.

use sha2::{Digest, Sha256};

use super::Received;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The block size of SHA-256.
const BLOCK: usize = 64;

/// Decodes base64.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

/// HMAC with SHA-256 (RFC 2104); the key is no longer than a block.
fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let pad = |with: u8| -> Vec<u8> {
        (0..BLOCK).map(|place| key.get(place).copied().unwrap_or_default() ^ with).collect()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The number of signatures in a request.
pub(super) fn signatures(request: &Received) -> usize {
    request.header("webhook-signature").split(' ').count()
}

/// Whether one of the request's signatures was made with this secret.
pub(super) fn verifies(request: &Received, secret: &str) -> bool {
    let key = decoded(secret.strip_prefix("whsec_").unwrap());
    let (id, timestamp) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    let expected = hmac(&key, &format!("{id}.{timestamp}.{}", request.body));
    let mut signatures = request.header("webhook-signature").split(' ');
    signatures.any(|signature| decoded(signature.strip_prefix("v1,").unwrap()) == expected)
}

#[test]
fn the_published_example_verifies() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut request = Received {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            header("webhook-timestamp", "1614265330"),
            header("webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        body: r#"{"test": 2432232314}"#.to_owned(),
    };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert!(verifies(&request, secret));
    request.body.push(' ');
    assert!(!verifies(&request, secret));
}
