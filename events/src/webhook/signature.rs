//! Signatures as the Standard Webhooks specification (<https://www.standardwebhooks.com>) defines, so
//! that receivers can verify deliveries with an existing library.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac, digest::Key};
use sha2::Sha256;
use thiserror::Error;

/// The prefix of every secret, which secret scanners recognise.
const PREFIX: &str = "whsec_";
/// The length of generated secrets in bytes: that of the hash.
const SECRET: usize = 32;
/// The lengths that the specification allows, in bytes.
const MIN_SECRET: usize = 24;
const MAX_SECRET: usize = 64;

/// The shared secret that signs the deliveries of an endpoint.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// The text is not a valid secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("A secret is {PREFIX} and the base64 of {MIN_SECRET} to {MAX_SECRET} bytes.")]
pub struct SecretError;

impl Secret {
    /// Generates a random secret.
    pub fn random() -> Self {
        Self(rand::random::<[u8; SECRET]>().to_vec())
    }

    /// Parses the format that [`Secret`]'s `Display` writes.
    ///
    /// # Errors
    /// Another prefix, invalid padded base64, or fewer than 24 or more than 64 bytes.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if (MIN_SECRET..=MAX_SECRET).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SecretError) }
    }

    fn mac(&self) -> Hmac<Sha256> {
        // HMAC pads the key with zeros to a block of 64 bytes (RFC 2104). Padding it here makes the
        // constructor infallible.
        let mut block = Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(&self.0) {
            *to = *from;
        }
        Hmac::new(&block)
    }
}

/// The secret in plain text.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }
}

// Keeps the secret out of logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The header `webhook-signature`: one signature for each active secret, so that receivers can verify
/// with the old or the new secret during a rotation.
///
/// `timestamp` is in Unix seconds. `id` must not contain a dot, which separates the signed parts.
pub fn sign(secrets: &[Secret], id: &str, timestamp: i64, body: &str) -> String {
    let head = format!("{id}.{timestamp}.");
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| {
            let mac = secret.mac().chain_update(&head).chain_update(body).finalize();
            format!("v1,{}", BASE64_STANDARD.encode(mac.into_bytes()))
        })
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    /// The bytes 0 to 31 and 100 to 131 as secrets, with signatures computed by OpenSSL.
    const FIRST: (&str, &str) = (
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI=",
    );
    const SECOND: (&str, &str) = (
        "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=",
        "v1,nreglw9HPgFb2Lfl1Wu4xzLPBPNc6RIasyTtCP2K77o=",
    );
    /// The test vector of the specification's own libraries: 24 bytes.
    const PUBLISHED: (&str, &str) =
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    fn secret(text: &str) -> Secret {
        Secret::parse(text).unwrap()
    }

    #[test]
    fn a_signature_is_what_others_compute() {
        for (text, signature) in [FIRST, SECOND, PUBLISHED] {
            assert_eq!(sign(&[secret(text)], ID, TIMESTAMP, BODY), signature);
        }
    }

    #[test]
    fn every_active_secret_signs() {
        let both = sign(&[secret(SECOND.0), secret(FIRST.0)], ID, TIMESTAMP, BODY);
        assert_eq!(both, format!("{} {}", SECOND.1, FIRST.1));
    }

    #[test]
    fn everything_that_is_sent_is_signed() {
        let secrets = [secret(FIRST.0)];
        for (id, timestamp, body) in
            [("other", TIMESTAMP, BODY), (ID, TIMESTAMP + 1, BODY), (ID, TIMESTAMP, "{}")]
        {
            assert_ne!(sign(&secrets, id, timestamp, body), FIRST.1);
        }
    }

    #[test]
    fn a_secret_survives_the_way_out_and_in() {
        let (new, other) = (Secret::random(), Secret::random());
        assert_eq!(secret(&new.to_string()).0, new.0);
        assert_ne!(new.0, other.0);
        assert_eq!(new.0.len(), SECRET);
        assert_eq!(secret(FIRST.0).to_string(), FIRST.0);
    }

    #[test]
    fn what_is_logged_does_not_tell_the_secret() {
        assert_eq!(format!("{:?}", secret(FIRST.0)), "Secret(..)");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_in_padded_base64() {
        let of = |length| Secret::parse(&format!("{PREFIX}{}", BASE64_STANDARD.encode(vec![7; length])));
        assert!(of(24).is_ok() && of(64).is_ok());
        assert!(of(23).is_err() && of(65).is_err());
        let bare = FIRST.0.trim_start_matches(PREFIX);
        let unpadded = FIRST.0.trim_end_matches('=');
        let other_alphabet = FIRST.0.replace('A', "_");
        for text in ["", PREFIX, bare, unpadded, &other_alphabet, &format!("{} ", FIRST.0)] {
            assert_eq!(Secret::parse(text).err(), Some(SecretError), "{text}");
        }
    }
}
