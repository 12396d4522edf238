//! What trusted proxies say of a request: who asks, by which scheme, and for which host.
//!
//! They say it in X-Forwarded-*, in Forwarded (RFC 7239) or in X-Real-IP, in many spellings. Whatever else sends these headers is not
//! believed.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::TimeMs;
use axum::extract::ConnectInfo;
use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use prometheus_client::metrics::counter::Counter;
use store::Clock;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// How a request has come to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client's address. `None` if a trusted proxy names it in a way that cannot be read: such clients have nothing
    /// in common, so they must not share an address.
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

/// What is wrong with the headers that reach us. Each is counted, and logged once.
#[derive(Clone, Debug, Default)]
pub struct ProxyFaults {
    /// Requests whose client's address could not be read.
    pub unreadable_clients: Counter,
    /// When the last of them came, in milliseconds on the steady clock.
    unreadable_at_ms: Arc<AtomicI64>,
    /// Requests that were refused as those of another site's page.
    pub foreign_requests: Counter,
    logged: Arc<Mutex<HashSet<String>>>,
}

/// The most faults that are logged: strangers can make any number.
const MOST_LOGGED: usize = 20;
/// A mended proxy is no longer reported after this time.
const REPORTED_FOR: Duration = Duration::from_secs(15 * 60);

impl ProxyFaults {
    /// Whether clients are named now in a way that cannot be read.
    pub fn hides_clients(&self, now: TimeMs) -> bool {
        let last = TimeMs(self.unreadable_at_ms.load(Ordering::Relaxed));
        self.unreadable_clients.get() > 0 && last.after(REPORTED_FOR) > now
    }

    /// Whether this fault is to be logged.
    pub fn is_new(&self, fault: &str) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < MOST_LOGGED && logged.insert(fault.to_owned())
    }
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
        let client = self.client(peer, &parts.headers).inspect_err(|named| self.is_unreadable(named)).ok();
        let scheme = if is_proxied { scheme(&parts.headers) } else { None };
        let arrival = Arrival { client, scheme, is_proxied };
        parts.extensions.insert(arrival);
        arrival
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The last address in the chain that is not a trusted proxy's: the client may have forged those to its left. Fails
    /// with a text that is not an address.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, String> {
        let mut client = peer;
        if !self.trusts(client) {
            return Ok(client);
        }
        for named in clients_named(headers).into_iter().rev() {
            client = address(&named).ok_or(named)?;
            if !self.trusts(client) {
                break;
            }
        }
        Ok(client)
    }

    fn is_unreadable(&self, named: &str) {
        self.faults.unreadable_clients.inc();
        self.faults.unreadable_at_ms.store(self.clock.steady().0, Ordering::Relaxed);
        if self.faults.is_new("unreadable client") {
            tracing::warn!(
                client = ?named,
                "a trusted proxy names its client in a way that cannot be read, so such searches are logged without an \
                 address. Have the proxy send the client's IP address in X-Forwarded-For or Forwarded"
            );
        }
    }
}

/// An IPv4 network that is written as an IPv6 one becomes what peers are compared with.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let prefix = v6.prefix_len().checked_sub(96);
    let v4 = v6.addr().to_ipv4_mapped().zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    v4.map_or(network, IpNet::V4)
}

/// The hosts by which the client may know us, as texts: what the request names, and what a trusted proxy says.
pub fn hosts(parts: &Parts, arrival: Arrival) -> Vec<String> {
    let own = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    let mut hosts: Vec<String> =
        own.or_else(|| parts.uri.authority().map(|host| host.as_str())).map(str::to_owned).into_iter().collect();
    if arrival.is_proxied {
        hosts.extend(first(&parts.headers, FORWARDED_HOST));
        hosts.extend(first_parameter(&parts.headers, "host"));
        if let Some(port) = first(&parts.headers, FORWARDED_PORT) {
            hosts.extend(hosts.clone().iter().map(|host| format!("{}:{port}", without_port(host))));
        }
    }
    hosts
}

/// The host of an authority: what stands before its port, with the brackets of an IPv6 address.
fn without_port(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(bracket) => &authority[..=bracket],
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}

/// The clients that the proxies name, from the first proxy to the last. A proxy that writes one of the headers passes the
/// others on as the client may have forged them. Most write X-Forwarded-For, and fewest X-Real-IP alone.
fn clients_named(headers: &HeaderMap) -> Vec<String> {
    let mut hops: Vec<String> = elements(headers, FORWARDED_FOR).collect();
    if hops.is_empty() {
        // A proxy that names nobody hides its client. The client may have forged what stands before.
        hops = parameters(headers, "for").map(Option::unwrap_or_default).collect();
    }
    if hops.is_empty() {
        hops.extend(first(headers, REAL_IP));
    }
    hops
}

fn scheme(headers: &HeaderMap) -> Option<Scheme> {
    let named = first(headers, FORWARDED_PROTO).or_else(|| first_parameter(headers, "proto"))?;
    match named.trim_matches('"').to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(Scheme::Https),
        "http" | "ws" => Some(Scheme::Http),
        _ => None,
    }
}

/// Reads an address, with or without a port, brackets, a zone or quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches(['"', ' ', '\t']);
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        // IPv6 has more than one colon.
        None => text.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(text, |(host, _)| host),
    };
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn first(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    elements(headers, name).next()
}

/// The elements of a list, in all headers of this name.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = String> {
    let elements =
        texts(headers, name).flat_map(|text| text.split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>());
    elements.filter(|element| !element.is_empty())
}

/// The first value of a parameter of Forwarded.
fn first_parameter(headers: &HeaderMap, name: &str) -> Option<String> {
    parameters(headers, name).flatten().next()
}

/// The value of a parameter in each element of Forwarded. `None` where an element has none.
fn parameters(headers: &HeaderMap, name: &str) -> impl Iterator<Item = Option<String>> {
    let elements = texts(headers, FORWARDED).flat_map(|text| split_unquoted(&text, ','));
    let value = move |pair: String| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| unquoted(value.trim()))
    };
    let value_in = move |element: String| split_unquoted(&element, ';').into_iter().find_map(value);
    elements.filter(|element| !element.trim().is_empty()).map(value_in)
}

/// Bytes that are not text must not hide the others.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = String> {
    headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The parts between separators that are not quoted.
///
/// A client may send an open quote, so that the proxy's part behind it looks quoted. Such a quote is never closed, and
/// then no quote counts.
fn split_unquoted(text: &str, separator: char) -> Vec<String> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts: Vec<&str> = text
        .split(|character| {
            let was_escaped = is_escaped;
            is_escaped = is_quoted && character == '\\' && !was_escaped;
            is_quoted ^= character == '"' && !was_escaped;
            character == separator && !is_quoted
        })
        .collect();
    let parts = if is_quoted { text.split(separator).collect() } else { parts };
    parts.into_iter().map(str::to_owned).collect()
}

fn unquoted(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return text.to_owned() };
    let mut characters = quoted.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use store::SystemClock;

    use super::*;

    /// A request from `peer`, with each line of `headers` as a header.
    fn arrival(peer: &str, headers: &str) -> (Arrival, Vec<String>) {
        let mut request = Request::builder();
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
        let (faults, is_unreadable) = (&proxies.faults, arrival.client.is_none());
        assert_eq!(faults.unreadable_clients.get(), u64::from(is_unreadable));
        assert_eq!(faults.hides_clients(clock.steady()), is_unreadable);
        assert!(!faults.hides_clients(clock.steady().after(REPORTED_FOR * 2)), "the proxy was mended");
        (arrival, hosts(&parts, arrival))
    }

    fn client(peer: &str, headers: &str) -> String {
        arrival(peer, headers).0.client.map_or("unreadable".to_owned(), |client| client.to_string())
    }

    #[test]
    fn only_trusted_peers_may_name_the_client() {
        for (peer, headers, expected) in [
            ("192.0.2.1", "x-forwarded-for: 198.51.100.7", "192.0.2.1"),
            ("192.0.2.1", "x-forwarded-for: nonsense", "192.0.2.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "x-forwarded-for: ", "10.0.0.1"),
            ("10.0.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("::ffff:10.0.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("172.17.0.1", "x-forwarded-for: 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: 203.0.113.9, 198.51.100.7\nx-forwarded-for: 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: 10.0.0.3,10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "x-forwarded-for: n\u{f6}nsense, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-forwarded-for: ,, 198.51.100.7 ,", "198.51.100.7"),
            ("10.0.0.1", "forwarded: for=198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "x-real-ip: 198.51.100.7", "198.51.100.7"),
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
            assert_eq!(client("10.0.0.1", &format!("x-forwarded-for: 198.51.100.7, {named}")), "unreadable", "{named}");
            assert_eq!(client("10.0.0.1", &format!("forwarded: for={named}")), "unreadable", "{named}");
            assert_eq!(client("10.0.0.1", &format!("x-real-ip: {named}")), "unreadable", "{named}");
        }
        for hidden in ["for=198.51.100.7, proto=https;by=x", "for=198.51.100.7\nforwarded: by=x"] {
            assert_eq!(client("10.0.0.1", &format!("forwarded: {hidden}")), "unreadable", "{hidden}");
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
        assert_eq!(arrival("192.0.2.1", "x-forwarded-proto: https").0.scheme, None);

        let headers = "host: a:1\nx-forwarded-host: b, c\nforwarded: host=\"d:2\"\nx-forwarded-port: 3";
        assert_eq!(arrival("192.0.2.1", headers).1, ["a:1"]);
        assert_eq!(arrival("10.0.0.1", headers).1, ["a:1", "b", "d:2", "a:3", "b:3", "d:3"]);
        assert_eq!(arrival("10.0.0.1", "host: [::1]:1\nx-forwarded-port: 3").1, ["[::1]:1", "[::1]:3"]);
    }

    #[test]
    fn a_fault_is_logged_once_and_not_without_end() {
        let faults = ProxyFaults::default();
        assert!(faults.is_new("one") && !faults.is_new("one"));
        let logged = (0..100).filter(|number| faults.is_new(&number.to_string())).count();
        assert_eq!(logged, MOST_LOGGED - 1);
    }
}
