//! The waiting lab on the command line.

mod fetch;

pub use fetch::{lab_compare, lab_flags, lab_second};
