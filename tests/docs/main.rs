//! The documentation, compared with the code.

mod adding_a_job;
mod limits;
mod source;
