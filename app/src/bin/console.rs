//! The console's program: the log, the jobs, the system, the lab, accounts.

fn main() {
    app::start_console();
}
