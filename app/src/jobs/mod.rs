//! The jobs: `/jobs` and `/jobs/{id}`.

mod actions;
mod attempts;
pub mod detail;
mod hold;
mod kinds;
pub mod list;
mod stream;
