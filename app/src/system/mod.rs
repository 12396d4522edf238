//! The state of the system: `/system`.

mod groups;
mod ledger;
mod overview;
pub mod page;
mod usage;
mod words;
mod workers;
