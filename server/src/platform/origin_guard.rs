//! Refuses requests that change something and come from another site's page.

use std::net::Ipv6Addr;

use api::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Error;
use super::forwarded::{Scheme, TrustedProxies, hosts};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Server functions check neither Origin nor a CSRF token, so this layer protects all of them. Clients that are not
/// browsers send neither Origin nor Sec-Fetch-Site, and pass.
pub async fn refuse_foreign(State(proxies): State<TrustedProxies>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match refusal(&mut parts, &proxies) {
        Some(refusal) => refusal,
        None => next.run(Request::from_parts(parts, body)).await,
    }
}

/// The response to a request that changes something and comes from another site's page. `None` for all others.
pub fn refusal(parts: &mut Parts, proxies: &TrustedProxies) -> Option<Response> {
    let seen = foreign(parts, proxies)?;
    proxies.faults.foreign_requests.inc();
    let Seen { origin, hosts, scheme } = seen;
    if proxies.faults.is_new(&format!("{origin} {hosts:?}")) {
        tracing::warn!(
            origin = ?origin,
            hosts = ?hosts,
            scheme = ?scheme,
            "a request of another site's page was refused. If it was our own page: have the proxy pass Host unchanged and \
             set X-Forwarded-Proto, and name the proxy with --trusted-proxy"
        );
    }
    let message = "This request comes from another site's page, and was refused.";
    Some(Error::from(ApiError::new(ErrorCode::Forbidden, message)).into_response())
}

/// What a foreign request was compared with.
struct Seen {
    origin: String,
    hosts: Vec<String>,
    scheme: Option<Scheme>,
}

/// `None` if the request is no other site's.
fn foreign(parts: &mut Parts, proxies: &TrustedProxies) -> Option<Seen> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return None;
    }
    let arrival = proxies.arrival(parts);
    let header = |name| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (site, origin) = (header(SEC_FETCH_SITE), header(ORIGIN));
    // Pages cannot set this header.
    let is_vouched_for = site.as_deref() == Some("same-origin");
    let is_own = match (site.as_deref(), origin.as_deref()) {
        (Some(site), _) if !matches!(site, "same-origin" | "none") => false,
        (_, None) => true,
        // A form that is sent without a script has this origin if the page sends no referrer.
        (_, Some("null")) => is_vouched_for,
        (_, Some(origin)) => Origin::parse(origin).is_some_and(|origin| {
            let is_scheme_right = match arrival.scheme {
                Some(scheme) => origin.scheme == scheme,
                // An https proxy that we do not know may be in between. Without one, we are reached over http.
                None => is_vouched_for || origin.scheme == Scheme::Http,
            };
            is_scheme_right && hosts(parts, arrival).iter().any(|host| origin.is_at(host))
        }),
    };
    let seen = || {
        let origin = [site, origin].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Seen { origin, hosts: hosts(parts, arrival), scheme: arrival.scheme }
    };
    (!is_own).then(seen)
}

/// The origin of a page.
struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let (scheme, default) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            _ => return None,
        };
        let (host, port) = host_and_port(authority, default)?;
        Some(Self { scheme, host, port })
    }

    /// Whether `authority`, as a Host header names it, is this origin's.
    fn is_at(&self, authority: &str) -> bool {
        let default = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        host_and_port(authority, default).is_some_and(|(host, port)| host == self.host && port == self.port)
    }
}

/// In one spelling: lower case, without the root's dot, and always with a port.
fn host_and_port(authority: &str, default: u16) -> Option<(String, u16)> {
    let authority = authority.trim().to_ascii_lowercase();
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host.parse::<Ipv6Addr>().ok()?.to_string(), if rest.is_empty() { "" } else { rest.strip_prefix(':')? })
        }
        None => {
            let (host, port) = authority.split_once(':').unwrap_or((&authority, ""));
            (host.strip_suffix('.').unwrap_or(host).to_owned(), port)
        }
    };
    let port = if port.is_empty() { default } else { port.parse().ok()? };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_compared_in_one_spelling() {
        let is_at = |origin: &str, host: &str| Origin::parse(origin).is_some_and(|origin| origin.is_at(host));
        for (origin, host) in [
            ("https://example.org", "example.org"),
            ("https://example.org", "example.org:443"),
            ("http://example.org", "example.org:80"),
            ("http://example.org:80", "example.org:"),
            ("HTTPS://Example.ORG.", "example.org"),
            ("https://example.org", " Example.org.:443 "),
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://[::1]:3000", "[0:0::1]:3000"),
            ("https://[2001:DB8::1]", "[2001:db8::1]:443"),
        ] {
            assert!(is_at(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://example.org", "example.org:80"),
            ("http://example.org", "example.org:443"),
            ("https://example.org:8443", "example.org"),
            ("https://example.org", "example.org:443:443"),
            ("https://example.org", "example.org.evil.example"),
            ("https://example.org..", "example.org"),
            ("https://example.org", "user@example.org"),
            ("https://", ""),
            ("http://:80", ":80"),
            ("http://[::1", "[::1"),
            ("http://[::1]x", "[::1]"),
            ("null", "null"),
            ("file://example.org", "example.org"),
            ("example.org", "example.org"),
        ] {
            assert!(!is_at(origin, host), "{origin} {host}");
        }
    }
}
