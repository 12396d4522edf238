//! The browser as the client needs it: address, time, requests, streams. Knows no feature.

pub mod context;
pub mod effect;
mod event_reader;
mod fetch;
pub mod mount;
pub mod ndjson;
pub mod reach;
pub mod request;
pub mod retry;
pub mod router;
pub mod session;
pub mod sse;
pub mod task;
pub mod time;
pub mod url;
mod windows;
