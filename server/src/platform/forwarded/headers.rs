//! Reads the headers of proxies.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use super::{Arrival, Scheme};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// What some write in place of X-Forwarded-Proto. The last two say `on` for https.
const SCHEMES: [HeaderName; 5] = [
    HeaderName::from_static("x-forwarded-scheme"),
    HeaderName::from_static("x-forwarded-protocol"),
    HeaderName::from_static("x-url-scheme"),
    HeaderName::from_static("x-forwarded-ssl"),
    HeaderName::from_static("front-end-https"),
];

/// The hosts by which the client may know us, as texts: what the request names, and what a trusted proxy says.
pub fn hosts(parts: &Parts, arrival: Arrival) -> Vec<String> {
    let own = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    let mut hosts: Vec<String> =
        own.or_else(|| parts.uri.authority().map(|host| host.as_str())).map(str::to_owned).into_iter().collect();
    if arrival.is_proxied {
        let named = [first(&parts.headers, FORWARDED_HOST), first_parameter(&parts.headers, "host")];
        hosts.extend(named.into_iter().flatten().map(|host| without_scheme(&host).to_owned()));
        if let Some(port) = first(&parts.headers, FORWARDED_PORT) {
            hosts.extend(hosts.clone().iter().map(|host| format!("{}:{port}", without_port(host))));
        }
    }
    hosts
}

/// Some proxies write `https://example.org/` for the host.
fn without_scheme(host: &str) -> &str {
    host.split_once("://").map_or(host, |(_, authority)| authority.trim_end_matches('/'))
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
pub(super) fn clients_named(headers: &HeaderMap) -> Vec<String> {
    let mut hops: Vec<String> = elements(headers, FORWARDED_FOR).collect();
    if hops.is_empty() {
        // A proxy that names nobody hides its client. The client may have forged what stands before.
        hops = parameters(headers, "for").map(Option::unwrap_or_default).collect();
    }
    if hops.is_empty() {
        // A proxy that adds its line keeps the one that the client has forged before it.
        hops.extend(elements(headers, REAL_IP));
    }
    hops
}

/// The scheme that the first of these headers names, in the order of how common they are.
pub(super) fn scheme(headers: &HeaderMap) -> Option<Scheme> {
    let of_host = || first(headers, FORWARDED_HOST)?.split_once("://").map(|(scheme, _)| scheme.to_owned());
    let of_port = || first(headers, FORWARDED_PORT).filter(|port| port == "443").map(|_| "https".to_owned());
    let named = first(headers, FORWARDED_PROTO)
        .or_else(|| first_parameter(headers, "proto"))
        .or_else(|| SCHEMES.into_iter().find_map(|name| first(headers, name)))
        .or_else(of_host)
        .or_else(of_port)?;
    match named.trim_matches('"').to_ascii_lowercase().as_str() {
        "https" | "wss" | "ssl" | "on" => Some(Scheme::Https),
        "http" | "ws" | "off" => Some(Scheme::Http),
        _ => None,
    }
}

/// Whether the request says that it was forwarded.
pub(super) fn are_forwarded(headers: &HeaderMap) -> bool {
    let names = [FORWARDED_FOR, FORWARDED, REAL_IP, FORWARDED_PROTO, FORWARDED_HOST, FORWARDED_PORT];
    names.iter().chain(&SCHEMES).any(|name| headers.contains_key(name))
}

/// Reads an address, with or without a port, brackets, a zone or quotes.
pub(super) fn address(text: &str) -> Option<IpAddr> {
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
