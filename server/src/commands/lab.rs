//! The waiting lab on the command line.

mod database;
mod fetch;
mod request;
mod sandbox;
mod words;

pub use database::lab_database;
pub use fetch::{lab_compare, lab_flags, lab_second};
pub use request::lab_request;
pub use sandbox::{begin_sandbox, sandbox};
