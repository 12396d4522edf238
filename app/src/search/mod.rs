//! The search: `/`.

pub mod draft;
mod form;
mod marked;
pub mod outbox;
pub mod page;
mod receipt;
mod receipt_step;
mod results;
mod submission;
mod visit;
