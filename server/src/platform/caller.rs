//! The caller of a request: the data that outlives the request, by value.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use api::{Account, ApiError, ErrorCode, Role};
use async_trait::async_trait;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::error::Result;
use super::random::Token;

/// The session cookie's name over https. Its prefix makes browsers bind it to this host, the path / and https.
pub const SECURE_COOKIE: &str = "__Host-search4letters";
/// The cookie's name over plain http, where browsers refuse the prefix.
pub const PLAIN_COOKIE: &str = "search4letters";

/// The longest User-Agent that is kept, in characters. Browsers send some 150.
const USER_AGENT_LIMIT: usize = 1_000;

#[derive(Clone, Debug)]
pub struct Caller {
    pub ip: IpAddr,
    /// The header, cut to 1,000 characters; empty if it is missing.
    pub user_agent: String,
    pub session: Option<Token>,
    /// Set if the request has passed the guard.
    pub account: Option<Account>,
    pub is_https: bool,
}

/// Peers whose X-Forwarded-For and X-Forwarded-Proto are trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Arc<[IpNet]>);

impl<S: Sync> FromRequestParts<S> for Caller
where
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::of(parts, &TrustedProxies::from_ref(state).0))
    }
}

/// Looks up sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The account of the caller's session. `None` without a session, or if it has ended. Prolongs the session.
    async fn account(&self, caller: &Caller) -> Result<Option<Account>>;

    /// Whether the caller's session is still valid. Does not prolong it: an open page does not count as use.
    async fn lasts(&self, caller: &Caller) -> Result<bool>;
}

impl Caller {
    pub fn of(parts: &Parts, trusted_proxies: &[IpNet]) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
        let is_trusted = |ip: IpAddr| trusted_proxies.iter().any(|net| net.contains(&ip));
        let is_https = is_trusted(peer) && header_is(&parts.headers, FORWARDED_PROTO, "https");
        let user_agent = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self {
            ip: client_ip(peer, &parts.headers, is_trusted),
            user_agent: user_agent.unwrap_or_default().chars().take(USER_AGENT_LIMIT).collect(),
            session: cookie(&parts.headers, if is_https { SECURE_COOKIE } else { PLAIN_COOKIE }),
            account: parts.extensions.get::<Account>().cloned(),
            is_https,
        }
    }

    /// The account, if it may do what `role` may.
    pub fn require(&self, role: Role) -> std::result::Result<&Account, ApiError> {
        let account = self.account.as_ref();
        let account = account.ok_or_else(|| ApiError::new(ErrorCode::SignedOut, "Log in first."))?;
        if account.role < role {
            let message =
                format!("This needs the role {}; {} is {}.", role.as_str(), account.name, account.role.as_str());
            return Err(ApiError::new(ErrorCode::Forbidden, message));
        }
        Ok(account)
    }
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The last address in the chain that is not a trusted proxy's. The client may have forged the addresses to its left in
/// X-Forwarded-For.
fn client_ip(peer: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut ip = peer;
    let hops: Vec<&[u8]> = parts_of(headers, FORWARDED_FOR, b',').collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(ip) {
            break;
        }
        match std::str::from_utf8(hop).ok().and_then(|hop| hop.parse::<IpAddr>().ok()) {
            Some(previous) => ip = previous.to_canonical(),
            None => break,
        }
    }
    ip
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<Token> {
    let mut values =
        parts_of(headers, COOKIE, b';').filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.next().and_then(|value| std::str::from_utf8(value).ok()).map(Token::received)
}

/// The parts of all headers of this name. They are bytes, because a part that is not text must not hide the others.
fn parts_of(headers: &HeaderMap, name: HeaderName, separator: u8) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter().map(|value| value.as_bytes());
    values.flat_map(move |value| value.split(move |&byte| byte == separator)).map(<[u8]>::trim_ascii)
}

fn header_is(headers: &HeaderMap, name: HeaderName, expected: &str) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn caller(peer: [u8; 4], forwarded: &[&str]) -> Caller {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header(FORWARDED_FOR, value.as_bytes());
        }
        let (mut parts, ()) =
            request.header(COOKIE, "a=b; c=\u{e9}; search4letters=cafe").body(()).expect("valid").into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::from((peer, 1))));
        Caller::of(&parts, &["10.0.0.0/8".parse().expect("a network")])
    }

    #[test]
    fn only_trusted_peers_may_name_the_client() {
        let ip = |peer, forwarded: &[&str]| caller(peer, forwarded).ip.to_string();
        assert_eq!(ip([192, 0, 2, 1], &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(ip([10, 0, 0, 1], &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(ip([10, 0, 0, 1], &["203.0.113.9, 198.51.100.7", "10.0.0.2"]), "198.51.100.7");
        assert_eq!(ip([10, 0, 0, 1], &["nonsense"]), "10.0.0.1");
        assert_eq!(ip([10, 0, 0, 1], &["n\u{f6}nsense, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(ip([10, 0, 0, 1], &[]), "10.0.0.1");
    }

    #[test]
    fn finds_its_cookie_among_others() {
        assert_eq!(caller([192, 0, 2, 1], &[]).session, Some(Token::received("cafe")));
    }
}
