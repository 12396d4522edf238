//! The caller of a request: the data that outlives the request, by value.

use std::convert::Infallible;
use std::net::IpAddr;

use api::{Account, ApiError, ErrorCode, Role};
use async_trait::async_trait;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::error::Result;
use super::forwarded::Scheme;
pub use super::forwarded::TrustedProxies;
use super::random::Token;

/// The session cookie's name over https. Its prefix makes browsers bind it to this host, the path / and https.
pub const SECURE_COOKIE: &str = "__Host-search4letters";
/// The cookie's name over plain http, where browsers refuse the prefix.
pub const PLAIN_COOKIE: &str = "search4letters";

/// The longest User-Agent that is kept, in characters. Browsers send some 150.
const USER_AGENT_LIMIT: usize = 1_000;

#[derive(Clone, Debug)]
pub struct Caller {
    /// `None` if a trusted proxy names it in a way that cannot be read.
    pub ip: Option<IpAddr>,
    /// The header, cut to 1,000 characters; empty if it is missing.
    pub user_agent: String,
    pub session: Option<Token>,
    /// Set if the request has passed the guard.
    pub account: Option<Account>,
    pub is_https: bool,
}

impl<S: Sync> FromRequestParts<S> for Caller
where
    TrustedProxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::of(parts, &TrustedProxies::from_ref(state)))
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
    pub fn of(parts: &mut Parts, proxies: &TrustedProxies) -> Self {
        let arrival = proxies.arrival(parts);
        let is_https = arrival.scheme == Some(Scheme::Https);
        let user_agent = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self {
            ip: arrival.client,
            user_agent: user_agent.unwrap_or_default().chars().take(USER_AGENT_LIMIT).collect(),
            session: cookie(&parts.headers, if is_https { SECURE_COOKIE } else { PLAIN_COOKIE }),
            account: parts.extensions.get::<Account>().cloned(),
            is_https,
        }
    }

    /// The address as it is logged. Empty if it is not known.
    pub fn ip_text(&self) -> String {
        self.ip.map_or_else(String::new, |ip| ip.to_string())
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

fn cookie(headers: &HeaderMap, name: &str) -> Option<Token> {
    // The parts are bytes, because one that is not text must not hide the others.
    let lines = headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|&byte| byte == b';')).map(<[u8]>::trim_ascii);
    let mut values = pairs.filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.next().and_then(|value| std::str::from_utf8(value).ok()).map(Token::received)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn finds_its_cookie_among_others() {
        let request = Request::builder().header(COOKIE, "a=b; c=\u{e9}; search4letters=cafe");
        let (mut parts, ()) = request.body(()).expect("valid").into_parts();
        assert_eq!(Caller::of(&mut parts, &TrustedProxies::default()).session, Some(Token::received("cafe")));
    }
}
