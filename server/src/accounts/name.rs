//! The names of accounts. Phones add a space behind a completed word and capitalise the first letter, and systems
//! compose accents differently: none of this makes another name.

use api::{ApiError, ErrorCode};
use store::{Accounts, StoredAccount};
use unicode_normalization::UnicodeNormalization;

/// The longest name of an account, in characters.
pub(super) const LONGEST: usize = 64;

/// The name of a new account: trimmed, and in Unicode's form NFKC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewName(String);

impl NewName {
    pub fn parse(typed: &str) -> Result<Self, ApiError> {
        let name: String = trimmed(typed).nfkc().collect();
        let is_odd = |c: char| !api::is_inert(c) || c.is_whitespace();
        if key(&name).is_empty() || name.chars().count() > LONGEST || name.contains(is_odd) {
            let message = format!("A name has 1 to {LONGEST} characters and no spaces.");
            return Err(ApiError::at(ErrorCode::Invalid, "name", message));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without spaces and invisible characters at the ends: what is copied from a page or a messenger has some.
pub(super) fn trimmed(typed: &str) -> &str {
    typed.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Equal for all spellings of a name, and for all names that look alike but for invisible characters. Cut to the longest
/// that an account can have, to bound the memory of those who keep it.
pub(super) fn key(typed: &str) -> String {
    let seen = trimmed(typed).nfkc().filter(|c| !is_invisible(*c));
    // Lower case may be decomposed: Turkish has a dotted capital I.
    seen.flat_map(char::to_lowercase).nfkc().take(LONGEST).collect()
}

/// Whether a character shows nothing: Unicode's property Default_Ignorable_Code_Point, and the blank pattern of Braille.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The account that `typed` names in any spelling. There are few accounts, and the database compares only ASCII without
/// case, so all names are compared here.
pub(super) async fn find_account(accounts: &dyn Accounts, typed: &str) -> store::Result<Option<StoredAccount>> {
    let key = key(typed);
    Ok(accounts.accounts().await?.into_iter().find(|account| self::key(&account.name) == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_name_have_one_key() {
        for (spelling, name) in [
            ("ada ", "ada"),
            ("\u{feff}ada \u{200b}", "ada"),
            ("\u{a0}ada\u{3000}", "ada"),
            ("Ada", "ada"),
            ("jose\u{301}", "jos\u{e9}"),
            ("\u{c9}lodie", "e\u{301}lodie"),
            ("\u{ff41}\u{ff44}\u{ff41}", "ada"),
            ("\u{1100}\u{1161}", "\u{ac00}"),
            ("\u{212b}", "\u{e5}"),
            ("\u{2068}ada\u{2069}", "ada"),
            ("a\u{ad}d\u{200d}a\u{fe0f}", "ada"),
            ("ad\u{3164}a\u{2800}", "ada"),
        ] {
            assert_eq!(key(spelling), key(name), "{spelling:?}");
        }
        assert_ne!(key("ada"), key("adam"));
    }

    #[test]
    fn new_names_are_trimmed_composed_and_limited() {
        assert_eq!(NewName::parse(" jose\u{301} ").expect("a name").as_str(), "jos\u{e9}");
        for wrong in ["", " ", "\u{3164}", "a b", "a\u{a0}b", "a\n.", "a\u{202e}da", &"x".repeat(65)] {
            assert!(NewName::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
