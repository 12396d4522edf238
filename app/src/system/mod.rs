//! The state of the system: `/system`.

mod cards;
mod ledger;
mod overview;
pub mod page;
mod usage;
mod workers;
