//! What protects those who use the server, and the server from those who would misuse it.

mod any_request;
mod forwarded;
mod headers;
mod origin;
mod panics;
mod secrets;
