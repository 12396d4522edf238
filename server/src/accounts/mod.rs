//! Accounts: passwords, sessions, setup links, the admin guard, and the limits on guessing passwords.

pub(crate) mod guard;
mod http;
mod login_limit;
mod name;
mod new_administrator;
mod password;
mod session;

use std::sync::Arc;

use store::{Clock, Store};

use self::login_limit::LoginLimit;
use crate::platform::caller::SessionCookie;
use crate::platform::random::Random;

pub use name::NewName;
pub use new_administrator::{Entitlement, create_administrator, free_name};
pub use password::{NewPassword, Passwords};
pub use session::new_setup_link;

pub struct AccountService {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Random,
    passwords: Passwords,
    login_limit: LoginLimit,
    session_cookie: SessionCookie,
}

impl AccountService {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, random: Random, session_cookie: SessionCookie) -> Self {
        let (passwords, login_limit) = (Passwords::new(random.clone()), LoginLimit::new(clock.clone()));
        Self { store, clock, random, passwords, login_limit, session_cookie }
    }
}
