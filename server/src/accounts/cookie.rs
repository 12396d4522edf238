//! The session cookie.

use axum::http::HeaderValue;

use crate::platform::caller::{PLAIN_COOKIE, SECURE_COOKIE};
use crate::platform::token::Token;

/// Hands the session's token to the browser, and to no script in it.
#[must_use]
pub fn session(token: &Token, is_https: bool) -> HeaderValue {
    header(token.reveal(), is_https, "")
}

/// Makes the browser forget it.
#[must_use]
pub fn removed(is_https: bool) -> HeaderValue {
    header("", is_https, "; Max-Age=0")
}

fn header(value: &str, is_https: bool, rest: &str) -> HeaderValue {
    let (name, secure) = if is_https { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{rest}"))
        .expect("a token is hexadecimal digits")
}
