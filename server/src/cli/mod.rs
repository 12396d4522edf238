//! The commands of the binary, one file each.

mod admin;
mod check;
pub mod config;
mod copy;
mod export;
mod heartbeat;
mod jobs;
mod private_files;
mod progress_bar;
mod running_server;
mod serve;
mod signals;
mod spool;
mod time_zone;
mod until_stopped;
mod wait_for_database;
mod work;

pub use admin::{PasswordSource, create_admin, print_link};
pub use check::{Finding, ServerFacts, check, check_server, print_findings};
pub use copy::{Copied, Report, copy};
pub use export::{NewFile, export_rows, export_text};
pub use jobs::{JobAct, Jobs};
pub use private_files::{check_private, make_data_private, make_new_files_private};
pub use progress_bar::ProgressBar;
pub use serve::{Serving, listen, open_spool, serve, serve_sandbox};
pub use signals::{StopSignal, Stopped};
pub use spool::{open_left_spool, replay_spool};
pub use wait_for_database::{NotOpened, wait_for_database};
pub use work::{Working, work};
