//! The size of a test run, and its random choices.

use std::env;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

/// The number of cases of a property test: `usual`, or fifty times as many in a long run.
pub fn cases(usual: u32) -> u32 {
    usual_or_long(usual, usual * 50)
}

/// `usual` in an ordinary run, `long` if `SEARCH4LETTERS_FAULTS=long` requests a long one.
pub fn usual_or_long<T>(usual: T, long: T) -> T {
    if is_long() { long } else { usual }
}

fn is_long() -> bool {
    env::var("SEARCH4LETTERS_FAULTS").is_ok_and(|length| length == "long")
}

/// The rounds of a test that makes random choices: one, or as many as fit into the time of a long run.
pub struct Rounds {
    begun: u32,
    until: Instant,
}

impl Rounds {
    /// # Panics
    ///
    /// If `SEARCH4LETTERS_FAULTS_SECONDS` is not a number.
    pub fn begin() -> Self {
        // One deadline for all tests, so that they end together.
        static UNTIL: OnceLock<Instant> = OnceLock::new();
        let until = UNTIL.get_or_init(|| {
            let seconds = env::var("SEARCH4LETTERS_FAULTS_SECONDS").ok().filter(|_| is_long());
            let seconds = seconds.map_or(0, |text| text.parse().expect("xtask writes a number"));
            Instant::now() + Duration::from_secs(seconds)
        });
        Self { begun: 0, until: *until }
    }

    /// Begins another round if there is one.
    pub fn another(&mut self) -> bool {
        self.begun += 1;
        let is_wanted = self.begun == 1 || Instant::now() < self.until;
        if is_wanted {
            println!("round {}", self.begun);
        }
        is_wanted
    }
}

/// The random choices of one test. They follow from `SEARCH4LETTERS_SEED` and the test's name alone, so the order of
/// the tests does not change them.
///
/// # Panics
///
/// If `SEARCH4LETTERS_SEED` is not a number.
pub fn seeded_rng(test: &str) -> Rng {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match env::var("SEARCH4LETTERS_SEED") {
        Ok(text) => text.parse().expect("SEARCH4LETTERS_SEED is a number"),
        // Each `RandomState` has random keys.
        Err(_) => RandomState::new().hash_one(()),
    });
    println!("SEARCH4LETTERS_SEED={seed} makes the same choices again");
    let mut hasher = DefaultHasher::new();
    (seed, test).hash(&mut hasher);
    Rng::with_seed(hasher.finish())
}
