//! Randomness, passed in so that tests can control it, and the tokens made of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use store::TokenHash;

/// A source of random bytes.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's source, fit for secrets.
    pub fn system() -> Self {
        let fill = |bytes: &mut [u8]| getrandom::fill(bytes).expect("the operating system gives random bytes");
        let block = Mutex::new(Block { bytes: [0; BLOCK], taken: BLOCK });
        Self::from_source(move |bytes| {
            // A source that has panicked has left an empty block.
            block.lock().unwrap_or_else(PoisonError::into_inner).take(bytes, fill);
        })
    }

    /// Takes the bytes that `fill` writes.
    pub fn from_source(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A number in 0..1.
    pub fn jitter(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

/// How many bytes are read at once: a system call for each would be more than all else that a number costs.
const BLOCK: usize = 4_096;

/// Random bytes that were read ahead. Each is given out once, and not kept.
struct Block {
    bytes: [u8; BLOCK],
    /// How many, from the beginning, were given out.
    taken: usize,
}

impl Block {
    fn take(&mut self, wanted: &mut [u8], fill: impl Fn(&mut [u8])) {
        if wanted.len() > BLOCK {
            return fill(wanted);
        }
        if wanted.len() > BLOCK - self.taken {
            self.taken = BLOCK;
            fill(&mut self.bytes);
            self.taken = 0;
        }
        let given = &mut self.bytes[self.taken..self.taken + wanted.len()];
        wanted.copy_from_slice(given);
        given.fill(0);
        self.taken += wanted.len();
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// 128 random bits as 32 hexadecimal digits. The browser or the link holds the token, the store only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub fn new(random: &Random) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random.bytes())))
    }

    /// A token as received. Looking up its hash shows whether it is valid.
    pub fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The token itself, for its holder only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Fills with 1, 2, 3 and so on, and counts the calls.
    fn counting(next: &Cell<u32>, calls: &Cell<usize>) -> impl Fn(&mut [u8]) {
        |bytes| {
            calls.set(calls.get() + 1);
            for four in bytes.chunks_mut(4) {
                next.set(next.get() + 1);
                four.copy_from_slice(&next.get().to_le_bytes()[..four.len()]);
            }
        }
    }

    #[test]
    fn no_byte_is_given_out_twice_or_kept() {
        let (next, calls) = (Cell::new(0), Cell::new(0));
        let mut block = Block { bytes: [0; BLOCK], taken: BLOCK };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..3 * BLOCK / 12 {
            let mut bytes = [0; 12];
            block.take(&mut bytes, counting(&next, &calls));
            for four in bytes.chunks(4) {
                assert!(seen.insert(four.to_vec()), "{four:?} was given out before");
            }
            assert!(block.bytes[..block.taken].iter().all(|&byte| byte == 0));
        }
        // Of each block, the last four bytes are too few for twelve.
        assert_eq!(calls.get(), 4);
    }

    #[test]
    fn what_is_larger_than_a_block_comes_from_the_source() {
        let (next, calls) = (Cell::new(0), Cell::new(0));
        let mut block = Block { bytes: [0; BLOCK], taken: BLOCK };
        let mut bytes = [0; BLOCK + 4];
        block.take(&mut bytes, counting(&next, &calls));
        assert_eq!((calls.get(), block.taken), (1, BLOCK));
        assert_eq!(bytes[BLOCK..], (BLOCK as u32 / 4 + 1).to_le_bytes());
    }

    #[test]
    fn a_source_that_fails_leaves_nothing_to_give_out() {
        let mut block = Block { bytes: [1; BLOCK], taken: BLOCK - 2 };
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            block.take(&mut [0; 4], |bytes| {
                bytes.fill(7);
                panic!("no randomness");
            });
        }));
        assert!(failed.is_err());
        let mut bytes = [0; 4];
        block.take(&mut bytes, |bytes| bytes.fill(9));
        assert_eq!(bytes, [9; 4]);
    }
}
