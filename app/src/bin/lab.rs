//! The lab's program.

fn main() {
    app::start_lab();
}
