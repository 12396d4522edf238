//! What trusted proxies say of a request: who asks, by which scheme, and for which host.
//!
//! They say it in X-Forwarded-*, in Forwarded (RFC 7239) or in X-Real-IP, in many spellings. Whatever else sends these
//! headers is not believed.

mod faults;
mod headers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::{IpNet, Ipv4Net};
use store::Clock;

use self::headers::{address, are_forwarded, clients_named, scheme};

pub use self::faults::{ProxyFault, ProxyFaults};
pub use self::headers::hosts;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// How a request has come to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client's address. `None` if a trusted proxy does not name it, or in a way that cannot be read: such clients have
    /// nothing in common, so they must not share an address.
    pub client: Option<IpAddr>,
    /// The scheme between the client and the first proxy. `None` if no trusted proxy says it.
    pub scheme: Option<Scheme>,
    /// Whether the peer is a trusted proxy.
    pub is_proxied: bool,
}

/// The proxies whose headers are trusted.
#[derive(Clone)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    clock: Arc<dyn Clock>,
    pub faults: ProxyFaults,
}

impl TrustedProxies {
    pub fn new(networks: impl IntoIterator<Item = IpNet>, clock: Arc<dyn Clock>) -> Self {
        Self { networks: networks.into_iter().map(canonical).collect(), clock, faults: ProxyFaults::default() }
    }

    /// How the request has come. It is found out once for each request.
    pub fn arrival(&self, parts: &mut Parts) -> Arrival {
        if let Some(known) = parts.extensions.get::<Arrival>() {
            return *known;
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
        let is_proxied = self.trusts(peer);
        let client = self.client(peer, &parts.headers);
        match &client {
            Err(ProxyFault::UnnamedClient(_)) if !is_of_visitor(parts.uri.path()) => {}
            Err(fault) => self.faults.report(fault, self.clock.steady()),
            Ok(_) if !is_proxied && is_internal(peer) && are_forwarded(&parts.headers) => {
                self.faults.report(&ProxyFault::ForgottenProxy(peer), self.clock.steady());
            }
            Ok(_) => {}
        }
        let scheme = if is_proxied { scheme(&parts.headers) } else { None };
        let arrival = Arrival { client: client.ok(), scheme, is_proxied };
        parts.extensions.insert(arrival);
        arrival
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The last address in the chain that is not a trusted proxy's: the client may have forged those to its left.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, ProxyFault> {
        if !self.trusts(peer) {
            return Ok(peer);
        }
        let mut client = Err(ProxyFault::UnnamedClient(peer));
        for named in clients_named(headers).into_iter().rev() {
            let address = address(&named).ok_or(ProxyFault::UnreadableClient(named))?;
            client = Ok(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// Whether visitors ask for this. The health checks of a proxy name nobody and do not ask the API; `admin link` asks from
/// this machine whether the link is known here.
fn is_of_visitor(path: &str) -> bool {
    path.starts_with("/api/") && path != "/api/setup/check"
}

/// Whether proxies usually have such an address, and visitors do not: it is not one of the internet's.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// An IPv4 network that is written as an IPv6 one becomes what peers are compared with.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let prefix = v6.prefix_len().checked_sub(96);
    let v4 = v6.addr().to_ipv4_mapped().zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    v4.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use store::SystemClock;

    use super::*;

    /// A request from `peer` to the API, with each line of `headers` as a header.
    fn arrival(peer: &str, headers: &str) -> (Arrival, Vec<String>) {
        let (arrival, hosts, _) = arrival_at("/api/search", peer, headers);
        (arrival, hosts)
    }

    fn faults(path: &str, peer: &str, headers: &str) -> Vec<ProxyFault> {
        arrival_at(path, peer, headers).2
    }

    fn arrival_at(path: &str, peer: &str, headers: &str) -> (Arrival, Vec<String>, Vec<ProxyFault>) {
        let mut request = Request::builder().uri(path);
        for line in headers.lines() {
            let (name, value) = line.split_once(": ").expect("a header");
            request = request.header(name, value);
        }
        let (mut parts, ()) = request.body(()).expect("valid").into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 1)));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let networks = ["10.0.0.0/8", "2001:db8:1::/64", "::ffff:172.16.0.0/108"];
        let proxies = TrustedProxies::new(networks.map(|network| network.parse().expect("a network")), clock.clone());
        let arrival = proxies.arrival(&mut parts);
        assert_eq!(proxies.arrival(&mut parts), arrival, "it is found out once");
        (arrival, hosts(&parts, arrival), proxies.faults.current(clock.steady()))
    }

    #[test]
    fn what_is_wrong_with_a_proxy_is_reported() {
        let address = |text: &str| text.parse().expect("an address");
        let unnamed = |proxy| vec![ProxyFault::UnnamedClient(address(proxy))];
        let forgotten = |peer| vec![ProxyFault::ForgottenProxy(address(peer))];
        let unreadable = |text: &str| vec![ProxyFault::UnreadableClient(text.to_owned())];
        for (peer, headers, expected) in [
            ("10.0.0.1", "x-forwarded-for: 198.51.100.7", vec![]),
            ("10.0.0.1", "x-forwarded-for: unknown", unreadable("unknown")),
            ("10.0.0.1", "", unnamed("10.0.0.1")),
            ("10.0.0.1", "x-forwarded-for: ", unnamed("10.0.0.1")),
            ("10.0.0.1", "x-forwarded-proto: https", unnamed("10.0.0.1")),
            ("127.0.0.1", "", vec![]),
            ("127.0.0.1", "x-forwarded-for: 198.51.100.7", forgotten("127.0.0.1")),
            ("::ffff:192.168.0.7", "x-forwarded-proto: https", forgotten("192.168.0.7")),
            ("::1", "forwarded: for=198.51.100.7", forgotten("::1")),
            ("fd00::7", "x-real-ip: 198.51.100.7", forgotten("fd00::7")),
            ("fe80::7", "front-end-https: on", forgotten("fe80::7")),
            ("192.0.2.1", "x-forwarded-for: 198.51.100.7", vec![]),
            ("2001:db8::1", "x-forwarded-for: 198.51.100.7", vec![]),
        ] {
            assert_eq!(faults("/api/search", peer, headers), expected, "{peer} {headers}");
        }
        assert_eq!(faults("/healthz", "10.0.0.1", ""), [], "a proxy's own check");
        assert_eq!(faults("/api/setup/check", "10.0.0.1", ""), [], "of a command on this machine");
        assert_eq!(faults("/healthz", "10.0.0.1", "x-forwarded-for: x"), unreadable("x"));
    }

    fn client(peer: &str, headers: &str) -> String {
        arrival(peer, headers).0.client.map_or("unknown".to_owned(), |client| client.to_string())
    }

    #[test]
    fn only_trusted_peers_may_name_the_client() {
        for (peer, headers, expected) in [
            ("192.0.2.1", "x-forwarded-for: 198.51.100.7", "192.0.2.1"),
            ("192.0.2.1", "x-forwarded-for: nonsense", "192.0.2.1"),
            ("10.0.0.1", "", "unknown"),
            ("10.0.0.1", "x-forwarded-for: ", "unknown"),
            ("10.0.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("::ffff:10.0.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("172.17.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: 203.0.113.9, 198.51.100.7\nx-forwarded-for: 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: 10.0.0.3,10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "x-forwarded-for: n\u{f6}nsense, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: ,, 198.51.100.7 ,", "198.51.100.7"),
            ("10.0.0.1", "forwarded: for=198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-real-ip: 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-real-ip: 203.0.113.9\nx-real-ip: 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-real-ip: 203.0.113.9\nx-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("192.0.2.1", "x-real-ip: 198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "x-forwarded-for: 198.51.100.7\nforwarded: for=203.0.113.9", "198.51.100.7"),
            ("10.0.0.1", "forwarded: for=203.0.113.9, FOR = 198.51.100.7;proto=https,", "198.51.100.7"),
            ("10.0.0.1", r#"forwarded: by="a,for=6.6.6.6";for="[2001:db8::7]:443""#, "2001:db8::7"),
            ("10.0.0.1", "x-forwarded-for: \"6.6.6.6, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "forwarded: for=\"6.6.6.6, for=198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", r#"forwarded: for="\", for="[2001:db8::7]""#, "2001:db8::7"),
            ("10.0.0.1", r#"forwarded: secret="\",for=6.6.6.6";for="\198.51.100.7""#, "198.51.100.7"),
        ] {
            assert_eq!(client(peer, headers), expected, "{peer} {headers}");
        }
    }

    #[test]
    fn an_address_is_read_in_each_spelling() {
        for (spelling, expected) in [
            ("203.0.113.7:51008", "203.0.113.7"),
            ("\"203.0.113.7\"", "203.0.113.7"),
            ("203.0.113.7:_port", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
            ("2001:DB8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:443", "fe80::7"),
        ] {
            assert_eq!(client("10.0.0.1", &format!("x-forwarded-for: {spelling}")), expected, "{spelling}");
            let quoted = spelling.trim_matches('"');
            assert_eq!(client("10.0.0.1", &format!("forwarded: for=\"{quoted}\"")), expected, "{spelling}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_nobody() {
        for named in ["unknown", "_hidden", "\"_hidden:80\"", "nonsense", "[2001:db8::7", "010.0.0.1", "example.org"] {
            assert_eq!(client("10.0.0.1", &format!("x-forwarded-for: 198.51.100.7, {named}")), "unknown", "{named}");
            assert_eq!(client("10.0.0.1", &format!("forwarded: for={named}")), "unknown", "{named}");
            assert_eq!(client("10.0.0.1", &format!("x-real-ip: {named}")), "unknown", "{named}");
        }
        for hidden in ["for=198.51.100.7, proto=https;by=x", "for=198.51.100.7\nforwarded: by=x"] {
            assert_eq!(client("10.0.0.1", &format!("forwarded: {hidden}")), "unknown", "{hidden}");
        }
    }

    #[test]
    fn trusted_peers_name_the_scheme_and_the_host() {
        let https = |headers| arrival("10.0.0.1", headers).0.scheme;
        assert_eq!(https("x-forwarded-proto: HTTPS, http"), Some(Scheme::Https));
        assert_eq!(https("x-forwarded-proto: http"), Some(Scheme::Http));
        assert_eq!(https("forwarded: proto=\"https\";for=_a, proto=http"), Some(Scheme::Https));
        assert_eq!(https("x-forwarded-proto: \"https\""), Some(Scheme::Https));
        assert_eq!(https("x-forwarded-proto: gopher"), None);
        for headers in [
            "x-forwarded-scheme: https",
            "x-forwarded-protocol: ssl",
            "x-url-scheme: https",
            "x-forwarded-ssl: on",
            "front-end-https: On",
            "x-forwarded-host: https://example.org",
            "x-forwarded-port: 443",
            "x-forwarded-proto: https\nx-forwarded-ssl: off",
            "forwarded: proto=https\nx-forwarded-scheme: http",
        ] {
            assert_eq!(https(headers), Some(Scheme::Https), "{headers}");
            assert_eq!(arrival("192.0.2.1", headers).0.scheme, None, "{headers}");
        }
        assert_eq!(https("x-forwarded-ssl: off\nx-forwarded-port: 443"), Some(Scheme::Http));
        assert_eq!(https("x-forwarded-port: 3000"), None);

        let headers = "host: a:1\nx-forwarded-host: b, c\nforwarded: host=\"d:2\"\nx-forwarded-port: 3";
        assert_eq!(arrival("192.0.2.1", headers).1, ["a:1"]);
        assert_eq!(arrival("10.0.0.1", headers).1, ["a:1", "b", "d:2", "a:3", "b:3", "d:3"]);
        let with_scheme = "host: a\nx-forwarded-host: https://b/\nforwarded: host=\"http://c:2\"";
        assert_eq!(arrival("10.0.0.1", with_scheme).1, ["a", "b", "c:2"]);
        assert_eq!(arrival("10.0.0.1", "host: [::1]:1\nx-forwarded-port: 3").1, ["[::1]:1", "[::1]:3"]);
    }
}
