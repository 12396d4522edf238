//! Every answered search is logged exactly once despite faults of processes, disks, databases and clocks.

mod client_log;
mod commands;
mod database_file;
mod disk;
mod disk_faults;
mod file_modes;
mod jobs;
mod jobs_command;
mod kill;
mod operating;
mod output;
mod postgres;
mod tables;
mod terminate;
mod verdict;
