//! What people see and do, in a real browser against the real server.

mod account;
mod everywhere;
mod hostile;
mod jobs;
mod kinds;
mod lab;
mod log;
mod search;
mod spooled;
mod stage;
mod system;
mod theme;
