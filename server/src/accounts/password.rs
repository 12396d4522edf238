//! Password hashes: argon2id, 19 MiB, two passes, one lane (OWASP's first choice).

use std::sync::Arc;

use api::{ApiError, ErrorCode};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::platform::random::Random;

/// The shortest password for a new account, in characters (ASVS 5.0, 6.2.1 and 6.2.9).
const SHORTEST: usize = 12;
/// Bounds the text that a stranger can make us hash.
const LONGEST: usize = 200;
/// The longest name of an account, in characters.
pub(super) const LONGEST_NAME: usize = 64;
/// Each hash takes 19 MiB and a core: more at once would starve the searches.
const AT_A_TIME: usize = 2;

pub struct Passwords {
    random: Random,
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(random: Random) -> Self {
        Self { random, permits: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// The hash of a new password, in PHC string format.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        let salt: [u8; 16] = self.random.bytes();
        self.in_background(move || {
            let hash = argon2id().hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| {
                tracing::error!(%error, "a password could not be hashed");
                ApiError::new(ErrorCode::Internal, "The password could not be stored. The server's log says why.")
            })
        })
        .await?
    }

    /// Whether `password` matches `hash`. Without a hash it takes as long and returns false: response times must not
    /// reveal which names exist.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        self.in_background(move || {
            let is_known = hash.is_some();
            let hash = hash.unwrap_or_else(|| DUMMY_HASH.to_owned());
            let matches = PasswordHash::new(&hash)
                .is_ok_and(|hash| argon2id().verify_password(password.as_bytes(), &hash).is_ok());
            matches && is_known
        })
        .await
    }

    async fn in_background<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let permit = self.permits.clone().acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| ApiError::new(ErrorCode::Internal, "The password could not be checked."))
    }
}

/// Checks a new password's length.
pub fn check_new_password(password: &str) -> Result<(), ApiError> {
    match password.chars().count() {
        ..SHORTEST => Err(ApiError::at(
            ErrorCode::Invalid,
            "password",
            format!("A password has at least {SHORTEST} characters. Three or four words make a good one."),
        )),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err(ApiError::at(ErrorCode::TooLong, "password", format!("A password has at most {LONGEST} characters."))),
    }
}

/// Checks a new account's name.
pub fn check_new_name(name: &str) -> Result<(), ApiError> {
    let is_odd = |c: char| !api::is_inert(c) || c.is_whitespace();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(is_odd) {
        let message = format!("A name has 1 to {LONGEST_NAME} characters and no spaces.");
        return Err(ApiError::at(ErrorCode::Invalid, "name", message));
    }
    Ok(())
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("19 MiB, two passes and one lane are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A hash that no account has, with the parameters above.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VhcmNoNGxldHRlcnM$C5Uk5x8Bhn4aVzXQm2eX8Xo9H0cJYvbqzJ3l0dHkq3o";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_its_hash() {
        let passwords = Passwords::new(Random::system());
        let hash = passwords.hash("correct horse battery".to_owned()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse battery".to_owned()).await.expect("hashed"), "salted");
        for (password, fits) in [("correct horse battery", true), ("correct horse", false), ("", false)] {
            assert_eq!(passwords.verify(password.to_owned(), Some(hash.clone())).await, Ok(fits));
        }
    }

    #[tokio::test]
    async fn the_dummy_hash_costs_the_same_and_matches_no_password() {
        assert!(PasswordHash::new(DUMMY_HASH).is_ok(), "it must be computed like any other");
        let passwords = Passwords::new(Random::system());
        assert_eq!(passwords.verify(String::new(), None).await, Ok(false));
    }

    #[test]
    fn new_names_and_passwords_have_limits() {
        assert!(check_new_password("eleven char").is_err() && check_new_password("twelve chars").is_ok());
        assert!(check_new_password(&"x".repeat(201)).is_err());
        assert!(check_new_name("ada").is_ok() && check_new_name("Ädä").is_ok());
        for wrong in ["", "a b", "a\n", &"x".repeat(65)] {
            assert!(check_new_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
