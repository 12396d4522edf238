//! Who is one person, as far as an address tells.

use std::net::IpAddr;

/// An IPv4 address, or the /64 of an IPv6 address: what one person usually has.
pub type Network = u64;

#[must_use]
pub fn network(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX),
    }
}
