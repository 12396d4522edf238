//! Links the client like rust-lld, without the exports that nothing calls. A dependency of `server_fn`, `wasm-streams`,
//! exports classes to JavaScript that the client never makes; what is exported travels to every visitor, with all that
//! it calls.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::Context;

/// All functions of these classes have it in their names.
const UNUSED: &str = "intounderlying";

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = Vec::new();
    for argument in env::args().skip(1) {
        // The name follows its option.
        if argument.contains(UNUSED) && arguments.last().is_some_and(|option| option == "--export") {
            arguments.pop();
        } else {
            arguments.push(argument);
        }
    }
    // rustc has put its own folder first on PATH.
    let ended = Command::new("rust-lld").args(arguments).status().context("rust-lld does not start")?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
