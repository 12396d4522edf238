//! Receipts: a search's id, made opaque.
//!
//! A receipt is the id's 16 bytes encrypted with AES-128. The key is derived from the store's secret, so receipts need
//! not be stored. The cipher is a pseudorandom permutation of all ids: without the key, nobody can make or recognise a
//! receipt, or read the time of the search from it.

use std::fmt::Write as _;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use api::{Receipt, SearchId};
use sha2::{Digest, Sha256};

pub struct Receipts {
    cipher: Aes128,
}

impl Receipts {
    /// Derives the key from the store's secret with a hash for receipts only: another use of the secret gets another
    /// key.
    pub fn new(secret: &[u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(b"receipts").chain_update(secret).finalize().into();
        let (key, _) = digest.split_at(16);
        Self { cipher: Aes128::new_from_slice(key).expect("the key has 16 bytes") }
    }

    pub fn of(&self, search: SearchId) -> Receipt {
        let mut block = search.0.to_be_bytes().into();
        self.cipher.encrypt_block(&mut block);
        Receipt(block.iter().fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        }))
    }

    /// The search of the receipt. A made-up receipt yields a search that does not exist.
    pub fn search(&self, Receipt(text): &Receipt) -> Option<SearchId> {
        let is_canonical = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut block = u128::from_str_radix(text, 16).ok().filter(|_| is_canonical)?.to_be_bytes().into();
        self.cipher.decrypt_block(&mut block);
        Some(SearchId(u128::from_be_bytes(block.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_back_to_the_search_and_hides_it() {
        let receipts = Receipts::new(&[7; 32]);
        let (one, other) = (SearchId(1), SearchId(2));
        assert_eq!(receipts.search(&receipts.of(one)), Some(one));
        assert_eq!(receipts.search(&receipts.of(other)), Some(other));
        let differing = receipts.of(one).0.chars().zip(receipts.of(other).0.chars()).filter(|(a, b)| a != b).count();
        assert!(differing > 20, "neighbours must not look alike: {differing} of 32 digits differ");
    }

    #[test]
    fn belongs_to_one_secret() {
        let receipt = Receipts::new(&[7; 32]).of(SearchId(1));
        assert_ne!(Receipts::new(&[8; 32]).search(&receipt), Some(SearchId(1)));
    }

    #[test]
    fn has_one_spelling() {
        let receipts = Receipts::new(&[7; 32]);
        let Receipt(text) = receipts.of(SearchId(1));
        for wrong in [String::new(), text.to_uppercase() + "A", format!("+{}", &text[1..]), format!("{text}0")] {
            assert_eq!(receipts.search(&Receipt(wrong.clone())), None, "{wrong}");
        }
    }
}
