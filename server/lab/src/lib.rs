//! The waiting lab's engine: the same work in sequence, on threads and asynchronously. Knows nothing of databases,
//! of jobs, or of who looks on.

mod teller;

pub use teller::{Teller, Telling};
