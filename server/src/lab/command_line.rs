//! The waiting lab on the command line.

mod config;
mod database;
mod fetch;
mod request;
mod words;

pub use config::{LabCommand, LabCompare, LabDatabase, LabFlags, LabRequest, LabRequests, LabSandbox, LabSecond};
pub use database::lab_database;
pub use fetch::{lab_compare, lab_flags, lab_second};
pub use request::lab_request;
