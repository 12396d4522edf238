//! Addresses, and networks of them.

use std::fmt;
use std::net::IpAddr;

/// The addresses whose first bits are those of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    /// So many bits count; all of them for a single address.
    prefix: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANetwork {
    Address,
    Prefix { longest: u8 },
}

impl Network {
    /// Reads `10.0.0.0/8`, `10.1.2.3`, `2001:db8::/32` or `::1`. Bits behind the prefix may be set: they do not count.
    pub(super) fn parse(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Address)?;
        let longest = longest(address);
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|&prefix| prefix <= longest).ok_or(NotANetwork::Prefix { longest })?
            }
            Some(_) => return Err(NotANetwork::Prefix { longest }),
        };
        Ok(Self { address, prefix })
    }

    /// Whether `ip` is the text of an address in the network.
    pub(super) fn holds(self, ip: &str) -> bool {
        match (self.address, ip.parse().map(|ip: IpAddr| ip.to_canonical())) {
            (IpAddr::V4(ours), Ok(IpAddr::V4(ip))) => {
                let differing = ours.to_bits() ^ ip.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(ours), Ok(IpAddr::V6(ip))) => {
                let differing = ours.to_bits() ^ ip.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if self.prefix == longest(self.address) { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

fn longest(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
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
            assert!(network(text).holds(inside), "{inside} is in {text}");
            assert!(!network(text).holds(outside), "{outside} is not in {text}");
            assert!(!network(text).holds("no address"));
        }
    }

    #[test]
    fn what_is_no_network_says_why() {
        for text in ["", "10.0.0", "10.0.0.256", "hello", "/8", "10.0.0.0.0/8", "::1::"] {
            assert_eq!(Network::parse(text), Err(NotANetwork::Address), "{text}");
        }
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/999"] {
            assert_eq!(Network::parse(text), Err(NotANetwork::Prefix { longest: 32 }), "{text}");
        }
        assert_eq!(Network::parse("::/129"), Err(NotANetwork::Prefix { longest: 128 }));
    }
}
