//! The server: axum, workers, composition. Knows no concrete database; main.rs alone names one.

pub mod accounts;
mod backend;
mod browser_family;
mod caller;
pub mod cli;
mod environment;
pub mod export;
pub mod http;
pub mod intake;
mod job_kinds;
mod job_view;
pub mod jobs;
pub mod lab;
mod log_lines;
mod log_search;
mod metrics;
mod network;
mod random;
mod receipts;
mod recent_counts;
mod searches;
pub mod system;

pub use environment::{Environment, IntakeSection, JobsSection, WorkerSection};
pub use log_lines::log_to_stderr;
pub use random::Random;
