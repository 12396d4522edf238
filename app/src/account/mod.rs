//! Accounts: `/login`, `/logout` and `/setup`, the account menu, and the pages for administrators only.

pub mod access;
pub mod login;
pub mod setup;
