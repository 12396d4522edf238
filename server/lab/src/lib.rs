//! The waiting lab's engine: the same work in sequence, on threads and asynchronously. Knows nothing of databases, jobs
//! or pages.
//!
//! Begin with [`fetch()`], and read it beside docs/lab.md.

mod country;
mod event_sink;
pub mod executor;
mod fetch;
mod target;

pub use country::{CountryCode, NoCountryCode, flag};
pub use event_sink::{EventSink, Events};
pub use fetch::{Body, FetchPlan, fetch};
pub use target::{Target, WrongTarget};
