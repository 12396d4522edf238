//! What was answered is logged exactly once, whatever becomes of process, disk, database and clock meanwhile.

mod backlog;
mod chance;
mod clock;
mod damaged;
mod extent;
mod failing_disk;
mod frozen;
mod full_disk;
mod journal;
mod kill;
mod left_spool;
mod load;
mod lock;
mod locked;
mod moved;
mod payloads;
mod slow_log;
mod small_disk;
mod strace;
mod table;
mod terminate;
mod two_servers;
mod unusable;
mod used;
mod verdict;
mod yardstick;
