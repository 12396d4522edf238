//! The console's program: the log, the jobs, the system, accounts.

fn main() {
    app::start_console();
}
