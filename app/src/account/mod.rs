//! Accounts: `/login`, `/logout` and `/setup`, the account menu, and the pages for administrators only.

pub mod access;
mod field;
pub mod login;
pub mod setup;
mod words;
