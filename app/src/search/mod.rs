//! The search: `/`.

pub mod draft;
mod form;
mod marked;
pub mod outbox;
pub mod page;
mod public_ledger;
mod receipt;
mod receipt_step;
mod results;
mod submission;
mod visit;
mod words;
