//! Password hashes: argon2id, 19 MiB, two passes, one lane (OWASP's first choice).

use std::sync::Arc;

use api::{ApiError, ErrorCode};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::name::trimmed;
use crate::platform::random::Random;

/// The shortest password for a new account, in characters (ASVS 5.0, 6.2.1 and 6.2.9).
const SHORTEST: usize = 12;
/// Bounds the text that a stranger can make us hash.
const LONGEST: usize = 200;
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
    pub async fn hash(&self, NewPassword(password): NewPassword) -> Result<String, ApiError> {
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

    /// Whether the password that was typed matches `hash`. Without a hash it takes as long and returns false: response
    /// times must not reveal which names exist.
    pub async fn verify(&self, typed: String, hash: Option<String>) -> Result<bool, ApiError> {
        self.in_background(move || {
            let is_known = hash.is_some();
            let hash = hash.unwrap_or_else(|| DUMMY_HASH.to_owned());
            let matches = |hash: &PasswordHash| {
                forms(&typed).iter().any(|form| argon2id().verify_password(form.as_bytes(), hash).is_ok())
            };
            PasswordHash::new(&hash).is_ok_and(|hash| matches(&hash)) && is_known
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

/// The password of a new account, in one form for all keyboards and systems: without spaces at its ends, with accents
/// composed (NFC), and with one kind of space, as RFC 8265 has it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

impl NewPassword {
    /// Checks the length.
    pub fn parse(typed: &str) -> Result<Self, ApiError> {
        let password = normal(typed);
        match password.chars().count() {
            ..SHORTEST => Err(ApiError::at(
                ErrorCode::Invalid,
                "password",
                format!("A password has at least {SHORTEST} characters. Three or four words make a good one."),
            )),
            SHORTEST..=LONGEST => Ok(Self(password)),
            _ => Err(ApiError::at(
                ErrorCode::TooLong,
                "password",
                format!("A password has at most {LONGEST} characters."),
            )),
        }
    }
}

/// Undoes what a keyboard or a copy may change without being seen.
fn normal(typed: &str) -> String {
    trimmed(typed).nfc().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

/// The forms in which a password may have been hashed. The first is today's. Earlier versions hashed what was typed, so
/// there the accents may be composed, or not, or both.
fn forms(typed: &str) -> Vec<String> {
    let mut forms = vec![normal(typed)];
    for earlier in [typed.to_owned(), typed.nfc().collect(), typed.nfd().collect()] {
        if !forms.contains(&earlier) {
            forms.push(earlier);
        }
    }
    forms
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
        let password = NewPassword::parse("correct horse battery").expect("long enough");
        let hash = passwords.hash(password.clone()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(password).await.expect("hashed"), "salted");
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

    #[tokio::test]
    async fn all_ways_to_type_a_password_match_its_hash() {
        let passwords = Passwords::new(Random::system());
        let password = NewPassword::parse("Zaubertra\u{308}nke f\u{fc}r E\u{301}lodie ").expect("long enough");
        let hash = passwords.hash(password).await.expect("hashed");
        for typed in [
            "Zaubertr\u{e4}nke f\u{fc}r \u{c9}lodie",
            "Zaubertra\u{308}nke fu\u{308}r E\u{301}lodie",
            "\u{feff}Zaubertr\u{e4}nke f\u{fc}r \u{c9}lodie\u{200e}",
            " Zaubertr\u{e4}nke\u{a0}f\u{fc}r\u{3000}\u{c9}lodie\n",
        ] {
            assert_eq!(passwords.verify(typed.to_owned(), Some(hash.clone())).await, Ok(true), "{typed:?}");
        }
        for wrong in ["zaubertr\u{e4}nke f\u{fc}r \u{e9}lodie", "Zaubertranke fur Elodie"] {
            assert_eq!(passwords.verify(wrong.to_owned(), Some(hash.clone())).await, Ok(false), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_password_that_was_hashed_as_typed_still_matches() {
        let passwords = Passwords::new(Random::system());
        for stored in ["Zaubertra\u{308}nke ", "Zaubertr\u{e4}nke "] {
            let hash = argon2id().hash_password_with_salt(stored.as_bytes(), &[7; 16]).expect("hashed").to_string();
            for typed in ["Zaubertra\u{308}nke ", "Zaubertr\u{e4}nke "] {
                assert_eq!(passwords.verify(typed.to_owned(), Some(hash.clone())).await, Ok(true), "{typed:?}");
            }
        }
        let mixed = "Zaubertr\u{e4}nke fu\u{308}r ein \u{212b}ngstr\u{f6}m ";
        let hash = argon2id().hash_password_with_salt(mixed.as_bytes(), &[7; 16]).expect("hashed").to_string();
        assert_eq!(passwords.verify(mixed.to_owned(), Some(hash)).await, Ok(true));
    }

    #[test]
    fn new_passwords_have_limits() {
        let is_fine = |password: &str| NewPassword::parse(password).is_ok();
        assert!(!is_fine("eleven char") && is_fine("twelve chars") && !is_fine("eleven char      "));
        // Each of these letters has two code points when it is decomposed.
        assert!(is_fine(&"a\u{308}".repeat(200)) && !is_fine(&"x".repeat(201)));
    }
}
