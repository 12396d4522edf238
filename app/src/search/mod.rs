//! The search: `/`.

pub mod draft;
mod form;
mod marked;
pub mod outbox;
pub mod page;
mod receipt;
mod results;
mod submission;
mod visit;
