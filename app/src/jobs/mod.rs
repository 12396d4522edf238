//! The jobs: `/jobs` and `/jobs/{id}`.

mod actions;
pub mod detail;
mod hold;
mod kinds;
pub mod list;
mod reading;
mod stream;
mod table;
mod tabs;
mod timeline;
mod toolbar;
mod words;
