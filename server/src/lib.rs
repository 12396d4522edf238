//! The server: it answers searches at once, writes their log rows later, and proves that they were written.
//!
//! Where to begin:
//!
//! - [`router`]: every route, and the layers that guard them.
//! - [`search`]: a search is accepted or spooled, its receipt is followed, and the job `log_request` writes its row.
//! - [`worker`]: every kind of job that this process runs.
//! - [`log`], [`jobs`], [`accounts`], [`system`], [`lab`]: one room for each feature. A room names no other; they meet in
//!   [`app_state`] and in tables.
//! - [`platform`]: what knows no feature. [`cli`]: the commands and their configuration.
//!
//! The crates below: [`api`] defines requests and responses, [`store`] is the interface to a database, [`queue`] runs
//! jobs, [`spool`] keeps records while the database cannot, and the crate `lab` is the waiting lab's engine. This
//! library names no concrete database.
//!
//! ARCHITECTURE.md has the bird's eye view and the invariants, docs/decisions the reasons.

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod accounts;
pub mod app_state;
pub mod audit;
pub mod cli;
pub mod jobs;
pub mod lab;
pub mod log;
pub mod platform;
pub mod router;
pub mod search;
pub mod system;
pub mod worker;
