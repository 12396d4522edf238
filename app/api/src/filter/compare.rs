//! Compares a row's texts and addresses with a filter's.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::search::python_repr;

/// Whether `whole` contains `text`, ignoring ASCII case.
pub(super) fn contains(whole: &str, text: &str) -> bool {
    let Some(first) = text.as_bytes().first() else { return true };
    // Comparing bytes is correct: in UTF-8 no character contains the bytes of another.
    whole
        .as_bytes()
        .windows(text.len())
        .any(|part| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(text.as_bytes()))
}

/// Whether `set`, displayed by Python, contains all of `letters`.
///
/// Each letter is in quotes, and a comma and a space separate the letters. So no other text in the set looks like a
/// quoted letter.
pub(super) fn has_letters(set: &str, letters: &BTreeSet<char>) -> bool {
    letters.iter().all(|&letter| set.contains(&python_repr(letter)))
}

/// A network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network(IpNet);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANetwork {
    Address,
    Prefix { longest: u8 },
}

impl Network {
    /// Reads `10.0.0.0/8`, `10.1.2.3`, `2001:db8::/32` or `::1`. Bits after the prefix are ignored.
    pub(super) fn parse(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let single = IpNet::from(address.parse::<IpAddr>().map_err(|_| NotANetwork::Address)?);
        let Some(prefix) = prefix else { return Ok(Self(single)) };
        let is_number = prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| is_number);
        let network = prefix.and_then(|prefix| IpNet::new(single.addr(), prefix).ok());
        network.map(Self).ok_or(NotANetwork::Prefix { longest: single.max_prefix_len() })
    }

    /// Whether `ip` is the text of an address in the network.
    pub(super) fn contains(self, ip: &str) -> bool {
        ip.parse().is_ok_and(|ip: IpAddr| self.0.contains(&ip.to_canonical()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascii_letters_ignore_case() {
        assert!(contains("100% Life_", "LIFE_"));
        assert!(!contains("100% LifeX", "life_"), "no wildcard");
        assert!(contains("ÄPFEL", "Äpfel"));
        assert!(!contains("ÄPFEL", "äpfel"));
        assert!(contains("a\0B", "A\0b"));
        assert!(contains("", "") && contains("a", "") && !contains("", "a") && !contains("a", "aa"));
    }

    proptest! {
        #[test]
        fn ignoring_case_is_comparing_in_lower_case(whole in "[aAbBéÉ\u{0}]{0,8}", text in "[aAbBéÉ\u{0}]{0,3}") {
            let expected = whole.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
            prop_assert_eq!(contains(&whole, &text), expected);
        }

        #[test]
        fn letters_differ_from_separators(phrase in "[ ,'\"\\\\{}a\n\u{0}é]{0,9}", letter in "[ ,'\"\\\\{}anx0\n\u{0}é]") {
            let all: BTreeSet<char> = phrase.chars().collect();
            let letters: BTreeSet<char> = letter.chars().collect();
            prop_assert_eq!(has_letters(&crate::set_text(&all), &letters), letters.is_subset(&all));
        }
    }

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
            ("192.168.1.128/25", "192.168.1.255", "192.168.1.127"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("10.1.2.3", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "0:0:0:0:0:0:0:1", "::2"),
            ("::/0", "fe80::1", "10.0.0.1"),
        ] {
            assert!(network(text).contains(inside), "{inside} is in {text}");
            assert!(!network(text).contains(outside), "{outside} is not in {text}");
            assert!(!network(text).contains("no address"));
        }
    }

    #[test]
    fn an_invalid_network_is_refused_with_a_reason() {
        for text in ["", "10.0.0", "10.0.0.256", "hello", "/8", "10.0.0.0.0/8", "::1::"] {
            assert_eq!(Network::parse(text), Err(NotANetwork::Address), "{text}");
        }
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/999"] {
            assert_eq!(Network::parse(text), Err(NotANetwork::Prefix { longest: 32 }), "{text}");
        }
        assert_eq!(Network::parse("::/129"), Err(NotANetwork::Prefix { longest: 128 }));
    }
}
