//! Passwords, tokens, sessions and the limits on guessing them.

mod login_limit;
mod password;
mod session;
mod set_up;
mod token;

pub use login_limit::LoginLimit;
pub use password::{Passwords, check_new_name, check_new_password};
pub use session::{is_logged_in, log_in, log_out, open_session, who};
pub use set_up::{new_setup_link, set_up};
pub use token::Token;
