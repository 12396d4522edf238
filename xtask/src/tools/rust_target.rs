//! The compiler's target for the browser.

use std::path::Path;

use anyhow::bail;
use xshell::cmd;

use crate::place::Place;
use crate::tools::on_path;

const TARGET: &str = "wasm32-unknown-unknown";

/// Rustup installs the targets that rust-toolchain.toml names together with the toolchain, but
/// adds none to a toolchain that was there already.
pub(crate) fn ensure(place: &Place) -> anyhow::Result<()> {
    let shell = place.shell()?;
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
