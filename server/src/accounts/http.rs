//! Server functions for accounts, and the session cookie.

use api::{Account, AccountApi, ApiError, SessionInfo};
use async_trait::async_trait;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;

use super::AccountService;
use crate::platform::assets;
use crate::platform::caller::Sessions;
use crate::platform::random::Token;
use crate::platform::server_functions::Call;

#[async_trait]
impl AccountApi for Call<AccountService> {
    async fn session(&self) -> Result<SessionInfo, ApiError> {
        let account = self.service.account(&self.caller).await?;
        let has_accounts = account.is_some() || self.service.has_accounts().await?;
        let (now, scripts) = (self.service.clock.wall(), assets::scripts().to_vec());
        Ok(SessionInfo { account, has_accounts, now, scripts })
    }

    async fn login(&self, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = self.service.log_in(&self.caller, &name, password).await?;
        self.set_cookie(&token);
        Ok(account)
    }

    async fn logout(&self) -> Result<(), ApiError> {
        self.service.log_out(&self.caller).await?;
        self.remove_cookie();
        Ok(())
    }

    async fn check_setup_link(&self, token: String) -> Result<(), ApiError> {
        Ok(self.service.check_setup_link(&Token::received(&token)).await?)
    }

    async fn set_up(&self, token: String, name: String, password: String) -> Result<Account, ApiError> {
        let (account, token) = self.service.set_up(&self.caller, &Token::received(&token), &name, &password).await?;
        self.set_cookie(&token);
        Ok(account)
    }
}

impl Call<AccountService> {
    /// Gives the browser the session's token. Scripts cannot read it.
    fn set_cookie(&self, token: &Token) {
        self.append_cookie(token.reveal(), "");
    }

    fn remove_cookie(&self) {
        self.append_cookie("", "; Max-Age=0");
    }

    fn append_cookie(&self, value: &str, rest: &str) {
        let is_https = self.caller.is_https;
        let name = self.service.session_cookie.name(is_https);
        let secure = if is_https { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{rest}");
        self.response.append_header(SET_COOKIE, HeaderValue::try_from(cookie).expect("a token is hexadecimal digits"));
    }
}
