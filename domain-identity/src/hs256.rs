//! HS256 for jsonwebtoken: a crypto provider that supports HMAC with SHA-256 only.
//!
//! The provider of the feature `rust_crypto` depends on RSA and elliptic curves, some thirty crates, of
//! which `rsa` 0.9 has an open advisory (RUSTSEC-2023-0071). Access tokens need none of them.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use sha2::Sha256;

/// jsonwebtoken looks the provider up in a static of the process.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.family(), key.as_bytes())?)),
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Hs256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs the provider for this process. Must be called before the first token is signed or verified.
pub(crate) fn install() {
    // Fails only if a provider is already installed.
    let _ = PROVIDER.install_default();
}

/// The HMAC with SHA-256 of these parts, one after the other; nothing for a key that cannot be one.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().into())
}

/// HMAC with SHA-256, initialised with a key.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let mac = Hmac::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self(mac))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    // `verify_slice` compares in constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(Error::from_source)
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use jsonwebtoken::{DecodingKey, EncodingKey, crypto};

    use super::*;

    /// RFC 7515, appendix A.1: the key, the signing input and the signature, in base64url.
    const KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const INPUT: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn keys() -> (EncodingKey, DecodingKey) {
        install();
        let key = BASE64_URL_SAFE_NO_PAD.decode(KEY).unwrap();
        (EncodingKey::from_secret(&key), DecodingKey::from_secret(&key))
    }

    #[test]
    fn the_test_vector_of_the_specification_is_signed_and_verified() {
        let (signing, verifying) = keys();
        assert_eq!(crypto::sign(INPUT.as_bytes(), &signing, Algorithm::HS256).unwrap(), SIGNATURE);
        assert!(crypto::verify(SIGNATURE, INPUT.as_bytes(), &verifying, Algorithm::HS256).unwrap());
    }

    #[test]
    fn a_changed_message_signature_or_key_is_rejected() {
        let (_, verifying) = keys();
        let other = DecodingKey::from_secret(b"another key of more than 32 bytes...");
        let verified = |signature: &str, input: &str, key: &DecodingKey| {
            crypto::verify(signature, input.as_bytes(), key, Algorithm::HS256).unwrap()
        };
        assert!(!verified(SIGNATURE, &format!("{INPUT}x"), &verifying));
        assert!(!verified(&SIGNATURE.replace("dBj", "dBk"), INPUT, &verifying));
        assert!(!verified(SIGNATURE.trim_end_matches("jXk"), INPUT, &verifying));
        assert!(!verified("", INPUT, &verifying));
        assert!(!verified(SIGNATURE, INPUT, &other));
    }

    #[test]
    fn other_algorithms_are_rejected() {
        let (signing, verifying) = keys();
        for algorithm in [Algorithm::HS384, Algorithm::HS512, Algorithm::RS256, Algorithm::EdDSA] {
            assert!(crypto::sign(INPUT.as_bytes(), &signing, algorithm).is_err(), "{algorithm:?}");
            assert!(
                crypto::verify(SIGNATURE, INPUT.as_bytes(), &verifying, algorithm).is_err(),
                "{algorithm:?}"
            );
        }
        let public = DecodingKey::from_rsa_der(b"a public key");
        assert!(crypto::verify(SIGNATURE, INPUT.as_bytes(), &public, Algorithm::HS256).is_err());
    }
}
