//! What was answered is logged exactly once, whatever becomes of the process meanwhile.

mod journal;
mod kill;
mod slow_log;
mod table;
mod terminate;
