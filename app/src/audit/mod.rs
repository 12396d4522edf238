//! The audit's page.

pub mod page;
mod words;
