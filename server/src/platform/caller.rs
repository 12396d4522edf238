//! The caller of a request: the data that outlives the request, by value.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use api::{Account, ApiError, ErrorCode, Role, TimeMs};
use async_trait::async_trait;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use store::Signature;

use super::accept::accepts_page;
use super::error::Result;
use super::forwarded::{Scheme, TrustedProxies};
use super::random::Token;

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
    /// Whether the request asks for a page, as that of a plain form does.
    pub accepts_page: bool,
}

/// What a request's caller is read with.
#[derive(Clone)]
pub struct CallerSettings {
    pub trusted_proxies: TrustedProxies,
    pub session_cookie: SessionCookie,
}

/// The name of the session cookie. Browsers send a cookie to all ports of its host, so installations on one host need
/// different names. All processes of one database have the same.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// Over https. The prefix makes browsers bind the cookie to this host, the path / and https.
    secure: Arc<str>,
    /// Over plain http, where browsers refuse the prefix.
    plain: Arc<str>,
}

impl SessionCookie {
    /// Derives the name from the store's secret, with a hash for cookies only, and from its identity: a restored copy has
    /// the same secret.
    pub fn of_store(secret: &[u8; 32], identity: &str) -> Self {
        let digest = Sha256::new().chain_update(b"session cookie").chain_update(secret).chain_update(identity);
        let digest: [u8; 32] = digest.finalize().into();
        let (tag, _) = digest.split_at(4);
        let plain = tag.iter().fold("search4letters-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        Self { secure: format!("__Host-{plain}").into(), plain: plain.into() }
    }

    pub fn name(&self, is_https: bool) -> &str {
        if is_https { &self.secure } else { &self.plain }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller
where
    CallerSettings: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::of(parts, &CallerSettings::from_ref(state)))
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
    pub fn of(parts: &mut Parts, settings: &CallerSettings) -> Self {
        let arrival = settings.trusted_proxies.arrival(parts);
        let is_https = arrival.scheme == Some(Scheme::Https);
        let user_agent = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self {
            ip: arrival.client,
            user_agent: user_agent.unwrap_or_default().chars().take(USER_AGENT_LIMIT).collect(),
            session: cookie(&parts.headers, settings.session_cookie.name(is_https)),
            account: parts.extensions.get::<Account>().cloned(),
            is_https,
            accepts_page: accepts_page(&parts.headers),
        }
    }

    /// The address as it is logged. Empty if it is not known.
    pub fn ip_text(&self) -> String {
        self.ip.map_or_else(String::new, |ip| ip.to_string())
    }

    /// The signature under a command of this caller, who is logged in as `name`.
    pub fn signature(&self, name: &str, at: TimeMs) -> Signature {
        Signature { by: Some(name.to_owned()), ip: self.ip_text(), at }
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
        let session_cookie = SessionCookie::of_store(&[7; 32], "here");
        let cookies = format!("a=b; c=\u{e9}; search4letters-00000000=f00d; {}=cafe", session_cookie.name(false));
        let (mut parts, ()) = Request::builder().header(COOKIE, cookies).body(()).expect("valid").into_parts();
        let trusted_proxies = TrustedProxies::new([], std::sync::Arc::new(store::SystemClock::start()));
        let settings = CallerSettings { trusted_proxies, session_cookie };
        assert_eq!(Caller::of(&mut parts, &settings).session, Some(Token::received("cafe")));
    }

    #[test]
    fn the_cookie_has_one_name_for_each_store() {
        let one = SessionCookie::of_store(&[7; 32], "here");
        for (secret, identity) in [([8; 32], "here"), ([7; 32], "there")] {
            assert_ne!(SessionCookie::of_store(&secret, identity).name(false), one.name(false));
        }
        assert_eq!(one.name(true), format!("__Host-{}", one.name(false)));
    }
}
