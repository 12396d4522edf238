//! The server: axum, workers, composition. Knows no concrete database; main.rs alone names one.

pub mod accounts;
pub mod app_state;
pub mod cli;
pub mod jobs;
pub mod lab;
pub mod log;
pub mod platform;
pub mod router;
pub mod search;
pub mod system;
pub mod worker;
