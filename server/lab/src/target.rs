//! The server that receives the requests.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use url::{Host, Url};

/// How long to try each of several addresses of a host.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// A server, given by a base URL. Its name is resolved only once, so that no request waits for it, and that all
/// requests go to the address that was checked for loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    address: SocketAddr,
    /// The base URL's authority: the `Host` header of the requests.
    authority: String,
    /// Precedes each path. Has no trailing slash.
    prefix: String,
}

/// Why a text is not a [`Target`], and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongTarget(String);

impl Target {
    /// The server at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, authority: address.to_string(), prefix: String::new() }
    }

    /// Whether the address is in 127.0.0.0/8 or `::1`.
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The URI for `path`, which begins with a slash and contains only URL characters.
    pub(crate) fn uri(&self, path: &str) -> Uri {
        let uri = format!("http://{}{}{path}", self.address, self.prefix);
        uri.parse().expect("an authority, a prefix and a path form a URI")
    }
}

/// Blocks while it resolves the name.
impl FromStr for Target {
    type Err = WrongTarget;

    fn from_str(text: &str) -> Result<Self, WrongTarget> {
        let wrong =
            |why: String| WrongTarget(format!("{why}: write http://HOST:PORT, for instance http://127.0.0.1:3000"));
        let url = Url::parse(text).map_err(|error| wrong(format!("{text} is no URL ({error})")))?;
        match url.scheme() {
            "http" => {}
            "https" => {
                return Err(wrong(format!(
                    "{text} asks for https, and the lab speaks plain http only, so that nothing but waiting is measured"
                )));
            }
            scheme => return Err(wrong(format!("the lab speaks http, not {scheme}"))),
        }
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a base URL has no user, no password, no ? and no #".to_owned()));
        }
        let host = url.host().ok_or_else(|| wrong(format!("{text} names no host")))?;
        let port = url.port().unwrap_or(80);
        let authority = url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { address: resolve(&host, port)?, authority, prefix })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

fn resolve(host: &Host<&str>, port: u16) -> Result<SocketAddr, WrongTarget> {
    let name = match host {
        Host::Ipv4(address) => return Ok(SocketAddr::new(IpAddr::V4(*address), port)),
        Host::Ipv6(address) => return Ok(SocketAddr::new(IpAddr::V6(*address), port)),
        Host::Domain(name) => *name,
    };
    let resolved = (name, port).to_socket_addrs();
    let addresses: Vec<_> = resolved.map_err(|error| WrongTarget(format!("{name} is not known: {error}")))?.collect();
    let first = *addresses.first().ok_or_else(|| WrongTarget(format!("{name} has no address")))?;
    if addresses.len() == 1 {
        return Ok(first);
    }
    // `localhost` usually resolves to ::1 and 127.0.0.1, but servers often listen on only one of them.
    let listens = |address: &&SocketAddr| TcpStream::connect_timeout(address, PROBE_TIMEOUT).is_ok();
    Ok(addresses.iter().find(listens).copied().unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_base_url_may_have_a_path() {
        let target = target("http://127.0.0.1:3000/searches/");
        assert_eq!(target.uri("/lab/second").to_string(), "http://127.0.0.1:3000/searches/lab/second");
        assert_eq!(target.to_string(), "http://127.0.0.1:3000/searches");
        assert_eq!(self::target("http://127.0.0.1").uri("/x").to_string(), "http://127.0.0.1:80/x");
    }

    #[test]
    fn loopback_depends_on_the_address() {
        for text in ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "http://localhost:1"] {
            assert!(target(text).is_loopback(), "{text}");
        }
        for text in ["http://192.0.2.1", "http://[2001:db8::1]:1", "http://0.0.0.0", "http://127.0.0.1@192.0.2.1"] {
            assert!(!text.parse::<Target>().is_ok_and(|target| target.is_loopback()), "{text}");
        }
    }
}
