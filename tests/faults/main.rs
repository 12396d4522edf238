//! What was answered is logged exactly once, whatever becomes of process, disk, database and clock meanwhile.

mod chance;
mod extent;
mod journal;
mod kill;
mod load;
mod lock;
mod locked;
mod slow_log;
mod table;
mod terminate;
mod verdict;
