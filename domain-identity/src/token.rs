//! The two sorts of tokens: a short-lived JWT for access, and opaque ones that are good once, to
//! refresh a log-in or to travel by mail.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenancy::{Failure, Refusal, UserSession};
use thiserror::Error;
use uuid::Uuid;

use crate::hs256;

/// How long an access token is good for.
pub(crate) const ACCESS: TimeDelta = TimeDelta::minutes(15);
/// The shortest signing key: as long as the hash it feeds (RFC 7518, section 3.2).
const MIN_KEY: usize = 32;
const SECRET: usize = 32;

/// The keys that sign access tokens (HS256): the first signs, all verify, so that keys can be
/// exchanged without logging anybody out.
pub struct TokenKeys(Vec<Key>);

struct Key {
    id: String,
    secret: Vec<u8>,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// A key that cannot be used.
#[derive(Debug, Error)]
#[error("each token key needs at least {MIN_KEY} bytes, and at least one key is needed")]
pub struct KeyError;

/// What an access token says: ids only. Roles and state are looked up.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user.
    pub(crate) sub: Uuid,
    /// The active organisation.
    pub(crate) org: Uuid,
    /// The log-in session.
    pub(crate) sid: Uuid,
    iat: i64,
    exp: i64,
}

impl TokenKeys {
    /// Keys separated by commas, the one that signs first.
    ///
    /// # Errors
    /// No key, or one that is too short.
    pub fn parse(keys: &str) -> Result<Self, KeyError> {
        let keys: Vec<_> = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
        if keys.is_empty() || keys.iter().any(|key| key.len() < MIN_KEY) {
            return Err(KeyError);
        }
        Ok(Self(keys.into_iter().map(Key::new).collect()))
    }

    /// A key that nobody else has, for a process that keeps its tokens to itself.
    pub fn random() -> Self {
        Self(vec![Key::new(&BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; MIN_KEY]>()))])
    }

    pub(crate) fn sign(
        &self,
        user: &UserSession,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), Failure> {
        let key = self.0.first().ok_or_else(|| Failure::internal("no token key"))?;
        let expires_at = now + ACCESS;
        let claims = Claims {
            sub: user.user_id,
            org: user.organisation_id,
            sid: user.login_session_id,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &key.signing).map_err(Failure::internal)?;
        Ok((token, expires_at))
    }

    /// What a token says, if one of our keys signed it and its time is not over.
    pub(crate) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Failure> {
        let refused = || Failure::from(Refusal::Unauthenticated);
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
        let key = self.0.iter().find(|key| Some(&key.id) == header.kid.as_ref()).ok_or_else(refused)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked below, by the service's own clock.
        validation.validate_exp = false;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation).map_err(|_| refused())?.claims;
        if claims.exp <= now.timestamp() { Err(refused()) } else { Ok(claims) }
    }
}

impl TokenKeys {
    /// The token that a refresh token gives for itself: always the same, so that two who show it at
    /// once, or one whose answer was lost, go on with one token. Derived by the key that signs now.
    pub(crate) fn successor(&self, of: &MintedToken) -> Result<MintedToken, Failure> {
        let key = self.0.first().ok_or_else(|| Failure::internal("no token key"))?;
        key.successor(of, Uuid::now_v7())
    }

    /// The successor with this id whose hash is known, by whichever key derived it. None if that key is
    /// not in use any more.
    pub(crate) fn known_successor(
        &self,
        of: &MintedToken,
        id: Uuid,
        hash: &[u8],
    ) -> Result<Option<MintedToken>, Failure> {
        let derived = self.0.iter().map(|key| key.successor(of, id));
        let derived = derived.collect::<Result<Vec<_>, _>>()?;
        Ok(derived.into_iter().find(|token| token.hash() == hash))
    }
}

impl Key {
    fn successor(&self, of: &MintedToken, id: Uuid) -> Result<MintedToken, Failure> {
        // The label keeps it apart from whatever else the key signs.
        let parts = [b"refresh".as_slice(), id.as_bytes(), of.id.as_bytes(), &of.secret];
        let secret = hs256::mac(&self.secret, &parts).ok_or_else(|| Failure::internal("a token key"))?;
        Ok(MintedToken { organisation_id: of.organisation_id, id, secret })
    }

    fn new(key: &str) -> Self {
        hs256::install();
        // Names the key without telling anything about it.
        let id = Sha256::digest(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let (signing, verifying) =
            (EncodingKey::from_secret(key.as_bytes()), DecodingKey::from_secret(key.as_bytes()));
        Self { id, secret: key.as_bytes().to_vec(), signing, verifying }
    }
}

/// A token that can be used once: to refresh a log-in, or for what a mail asks of its reader. It
/// names the organisation that it is looked up in. Only its hash is kept.
pub(crate) struct MintedToken {
    pub(crate) organisation_id: Uuid,
    pub(crate) id: Uuid,
    secret: [u8; SECRET],
}

impl MintedToken {
    pub(crate) fn new(organisation_id: Uuid) -> Self {
        Self { organisation_id, id: Uuid::now_v7(), secret: rand::random() }
    }

    /// The organisation's id, the token's and the secret.
    pub(crate) fn text(&self) -> String {
        let parts = [self.organisation_id.as_bytes().as_slice(), self.id.as_bytes(), &self.secret];
        BASE64_URL_SAFE_NO_PAD.encode(parts.concat())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (organisation_id, rest) = bytes.split_first_chunk()?;
        let (id, secret) = rest.split_first_chunk()?;
        Some(Self {
            organisation_id: Uuid::from_bytes(*organisation_id),
            id: Uuid::from_bytes(*id),
            secret: secret.try_into().ok()?,
        })
    }

    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use tenancy::Clock;

    use super::*;

    const OLD: &str = "an old key of more than 32 bytes ...";
    const NEW: &str = "a new key of more than 32 bytes too .";

    fn now() -> DateTime<Utc> {
        Clock::system().now()
    }

    fn user() -> UserSession {
        let id = Uuid::now_v7;
        UserSession {
            organisation_id: id(),
            user_id: id(),
            login_session_id: id(),
            roles: vec![],
            grants: vec![],
            time_zone: None,
        }
    }

    #[test]
    fn an_access_token_lives_fifteen_minutes() {
        let (keys, now) = (TokenKeys::parse(NEW).unwrap(), now());
        let (token, expires_at) = keys.sign(&user(), now).unwrap();
        assert_eq!(expires_at, now + ACCESS);
        assert!(keys.verify(&token, now + ACCESS - TimeDelta::seconds(1)).is_ok());
        assert!(keys.verify(&token, now + ACCESS).is_err());
    }

    #[test]
    fn keys_can_be_exchanged_without_logging_anybody_out() {
        let now = now();
        let (token, _) = TokenKeys::parse(OLD).unwrap().sign(&user(), now).unwrap();
        assert!(TokenKeys::parse(&format!("{NEW},{OLD}")).unwrap().verify(&token, now).is_ok());
        assert!(TokenKeys::parse(NEW).unwrap().verify(&token, now).is_err());
    }

    #[test]
    fn a_token_of_another_algorithm_or_hand_is_refused() {
        let (keys, now) = (TokenKeys::parse(NEW).unwrap(), now());
        let (token, _) = keys.sign(&user(), now).unwrap();
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        for token in ["", "a.b.c", &unsigned, &format!("{token}x")] {
            assert!(keys.verify(token, now).is_err(), "{token}");
        }
    }

    #[test]
    fn a_successor_is_derived_anew_from_the_token_and_the_key() {
        let token = MintedToken::new(Uuid::now_v7());
        let both = TokenKeys::parse(&format!("{NEW},{OLD}")).unwrap();
        let successor = TokenKeys::parse(OLD).unwrap().successor(&token).unwrap();
        let known = |of: &MintedToken, hash: &[u8]| {
            both.known_successor(of, successor.id, hash).unwrap().map(|token| token.text())
        };
        assert_eq!(known(&token, &successor.hash()), Some(successor.text()));
        assert_eq!(known(&MintedToken::new(token.organisation_id), &successor.hash()), None);
        assert_eq!(known(&token, &token.hash()), None);
    }

    #[test]
    fn short_keys_are_refused() {
        assert!(TokenKeys::parse("short").is_err());
        assert!(TokenKeys::parse("").is_err());
        assert!(TokenKeys::parse(&format!("{NEW},short")).is_err());
    }

    #[test]
    fn a_minted_token_survives_the_way_out_and_in() {
        let token = MintedToken::new(Uuid::now_v7());
        let read = MintedToken::parse(&token.text()).unwrap();
        assert_eq!(
            (read.organisation_id, read.id, read.hash()),
            (token.organisation_id, token.id, token.hash())
        );
        for text in ["", "x", "not base64!", &"A".repeat(200)] {
            assert!(MintedToken::parse(text).is_none(), "{text}");
        }
    }
}
