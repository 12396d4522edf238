//! The waiting lab on the command line.

mod database;
mod request;
mod sandbox;
mod words;

pub use database::lab_database;
pub use request::lab_request;
pub use sandbox::{begin_sandbox, sandbox};
