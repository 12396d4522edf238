//! The log: reading it, following it, and writing it out.

pub mod export;
pub(crate) mod http;
pub(crate) mod inert_json;
mod inert_text;
mod scan;
