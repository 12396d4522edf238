//! One file per route. Pages own what is fetched and what is sent.

mod entry;
mod job;
mod jobs;
mod lab;
mod lab_run;
mod login;
mod logout;
mod not_found;
mod setup;
mod system;
mod view_log;

pub use entry::EntryPage;
pub use job::JobPage;
pub use jobs::JobsPage;
pub use lab::LabPage;
pub use lab_run::LabRunPage;
pub use login::LoginPage;
pub use logout::LogoutPage;
pub use not_found::NotFoundPage;
pub use setup::SetupPage;
pub use system::SystemPage;
pub use view_log::ViewLogPage;
