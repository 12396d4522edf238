//! What is loaded by those who look behind the search: the log, the jobs, the system, the lab.

fn main() {
    app::start_console();
}
