//! The waiting lab: what its runs show, and that they leave nothing behind.

mod database;
mod request;
mod sandboxes;
