//! Random choices that can be made again: all of them follow from one seed.

use std::env;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

use fastrand::Rng;

/// The choices of one test. Those of others do not change them, in whatever order the tests run.
pub(crate) fn chance(test: &str) -> Rng {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(seed);
    println!("SEARCH4LETTERS_SEED={seed} makes the same choices again");
    let mut hasher = DefaultHasher::new();
    (seed, test).hash(&mut hasher);
    Rng::with_seed(hasher.finish())
}

fn seed() -> u64 {
    match env::var("SEARCH4LETTERS_SEED") {
        Ok(text) => text.parse().expect("SEARCH4LETTERS_SEED is a number"),
        // Each of these begins somewhere else.
        Err(_) => RandomState::new().hash_one(()),
    }
}
