use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tenancy::Failure;
use tokio::sync::Semaphore;

/// Hashes passwords with argon2id (OWASP's parameters, the crate's default), away from the threads
/// that serve requests.
///
/// A hash takes some 20 ms of a core and 19 MiB, so only as many run at once as there are cores:
/// a flood of log-ins waits in line instead of starving everything else.
#[derive(Clone)]
pub(crate) struct Hasher {
    slots: Arc<Semaphore>,
    /// Verified when the e-mail is unknown, so that the answer takes as long as for a known one.
    decoy: Arc<str>,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self, argon2::password_hash::Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash_now("nobody has this password")?.into();
        Ok(Self { slots: Arc::new(Semaphore::new(cores)), decoy })
    }

    /// The hash of a password, in PHC string format with its own salt and parameters.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Failure> {
        self.run(move || hash_now(&password)).await?.map_err(|error| Failure::internal(error.to_string()))
    }

    /// Whether the password belongs to the hash; never for no hash, after the same time.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Failure> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let fits = self.run(move || verify_now(&password, &hash)).await?;
        Ok(known && fits)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(Failure::internal)?;
        // The slot goes with the work: a client that hangs up does not end it.
        let held = move || {
            let _slot = slot;
            work()
        };
        tokio::task::spawn_blocking(held).await.map_err(Failure::internal)
    }
}

fn hash_now(password: &str) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash: PasswordHash| hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(hasher.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("wrong horse".into(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".into(), None).await.unwrap());
        assert!(!hasher.verify("any".into(), Some("not a hash".into())).await.unwrap());
    }
}
