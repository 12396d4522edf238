//! The program `wasm-bindgen` with the arguments that Trunk gives it.
//!
//! The package `wasm-bindgen-cli` also holds a test runner with a web server and takes several times as long to
//! compile. As part of the workspace, the tool always has the same version in Cargo.lock as the client's library, as it
//! must.

use std::env;

use anyhow::bail;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let mut bindgen = Bindgen::new();
    // The default of the original program, but not of its library.
    bindgen.omit_default_module_path(false);
    // Nobody reads them in a browser.
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut folder = None;
    for argument in env::args().skip(1) {
        match argument.split_once('=') {
            None if argument == "--version" => {
                println!("wasm-bindgen {}", wasm_bindgen_shared::version());
                return Ok(());
            }
            None if argument == "--no-typescript" => drop(bindgen.typescript(false)),
            Some(("--target", "web")) => drop(bindgen.web(true)?),
            Some(("--out-name", name)) => drop(bindgen.out_name(name)),
            Some(("--out-dir", path)) => folder = Some(path.to_owned()),
            _ if !argument.starts_with('-') => drop(bindgen.input_path(argument)),
            _ => bail!("{argument} is not supported: see xtask/bindgen"),
        }
    }
    let Some(folder) = folder else { bail!("--out-dir is missing") };
    bindgen.generate(folder)
}
