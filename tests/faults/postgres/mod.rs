//! The same promises where many processes share a PostgreSQL server.

mod clock;
mod deploy;
mod exhausted;
mod faults;
mod kill;
mod lab;
mod lease;
mod left_spool;
mod live_log;
mod long_transaction;
mod network;
mod proxy;
mod reader;
mod restart;
mod running;
mod site;
