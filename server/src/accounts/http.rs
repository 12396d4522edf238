//! Server functions for accounts, and the session cookie.

use api::{Account, AccountApi, ApiError, SessionInfo};
use async_trait::async_trait;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;

use super::AccountService;
use crate::platform::caller::{PLAIN_COOKIE, SECURE_COOKIE, Sessions};
use crate::platform::random::Token;
use crate::platform::server_functions::Call;

#[async_trait]
impl AccountApi for Call<AccountService> {
    async fn session(&self) -> Result<SessionInfo, ApiError> {
        let account = self.service.account(&self.caller).await?;
        let has_accounts = account.is_some() || self.service.has_accounts().await?;
        Ok(SessionInfo { account, has_accounts })
    }

    async fn login(&self, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = self.service.log_in(&self.caller, &name, password).await?;
        self.response.append_header(SET_COOKIE, session_cookie(&token, self.caller.is_https));
        Ok(account)
    }

    async fn logout(&self) -> Result<(), ApiError> {
        self.service.log_out(&self.caller).await?;
        self.response.append_header(SET_COOKIE, removed_cookie(self.caller.is_https));
        Ok(())
    }

    async fn set_up(&self, token: String, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = self.service.set_up(&Token::received(&token), name, password).await?;
        self.response.append_header(SET_COOKIE, session_cookie(&token, self.caller.is_https));
        Ok(account)
    }
}

/// The cookie that carries the session's token. Scripts cannot read it.
fn session_cookie(token: &Token, is_https: bool) -> HeaderValue {
    cookie(token.reveal(), is_https, "")
}

/// Makes the browser delete the cookie.
fn removed_cookie(is_https: bool) -> HeaderValue {
    cookie("", is_https, "; Max-Age=0")
}

fn cookie(value: &str, is_https: bool, rest: &str) -> HeaderValue {
    let (name, secure) = if is_https { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{rest}"))
        .expect("a token is hexadecimal digits")
}
