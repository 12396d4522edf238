//! The compiler's target for the browser.

use std::path::Path;

use anyhow::bail;
use xshell::cmd;

use crate::tools::on_path;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";

/// Rustup installs the targets that rust-toolchain.toml names together with the toolchain, but
/// adds none to a toolchain that was there already.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        bail!("this Rust has no target {TARGET} and there is no rustup: get both from https://rustup.rs");
    }
    eprintln!("installing the target {TARGET} (about 20 MB, once)");
    cmd!(shell, "rustup target add {TARGET}").quiet().run()?;
    Ok(())
}
