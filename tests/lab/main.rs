//! The waiting lab: what its runs show, and that they leave nothing behind.

mod command;
mod database;
mod failures;
mod interrupted;
mod printed;
mod ratios;
mod request;
mod sandboxes;
mod saved;
mod threads;
mod usage;
