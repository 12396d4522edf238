//! The log, exported by the real program.

mod command;
mod interrupted;
mod place;
mod slow_reader;
