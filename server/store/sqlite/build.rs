//! Recompiles when a migration is added: the compiler does not notice new files by itself.

fn main() {
    println!("cargo:rerun-if-changed=../../../migrations/sqlite");
}
