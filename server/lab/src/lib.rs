//! The waiting lab's engine: the same work in sequence, on threads and asynchronously. Knows nothing of databases,
//! of jobs, or of who looks on.

mod country;
pub mod executor;
mod fetch;
mod target;
mod teller;

pub use country::{CountryCode, NoCountryCode, flag};
pub use fetch::{Body, FetchPlan, fetch};
pub use target::{Target, WrongTarget};
pub use teller::{Teller, Telling};
