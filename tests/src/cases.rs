//! How many cases a property test tries.

/// `usual` in an ordinary run, and fifty times as many where `SEARCH4LETTERS_FAULTS=long` asks for the long one.
#[must_use]
pub fn cases(usual: u32) -> u32 {
    let is_long = std::env::var_os("SEARCH4LETTERS_FAULTS").is_some_and(|length| length == "long");
    if is_long { usual * 50 } else { usual }
}
