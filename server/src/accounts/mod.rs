//! Passwords, sessions, the guard of what administrators do, and the limits on guessing passwords.

pub(crate) mod cookie;
pub(crate) mod guard;
mod login_limit;
mod password;
mod session;
pub(crate) mod session_watch;
mod set_up;

pub use login_limit::LoginLimit;
pub use password::{Passwords, check_new_name, check_new_password};
pub use session::{is_logged_in, log_in, log_out, open_session, who};
pub use set_up::{new_setup_link, set_up};
