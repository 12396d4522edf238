//! Ten thousand who follow, and some who mean harm: those who only search do not notice.

mod event_streams;
mod hostile;
mod limits;
mod malformed;
mod open_files;
mod wire;
