//! Compilers, and tools from crates.io, each built once into a folder named after its version.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::tools::on_path;
use crate::workspace::Workspace;

const WASM: &str = "wasm32-unknown-unknown";

/// Trunk 0.22 wants a newer Rust than ours. Without its default features it cannot download tools; we provide them.
pub(crate) const TRUNK: CargoTool =
    CargoTool { name: "trunk", version: "0.21.14", flags: &["--no-default-features"], takes: "about 3 minutes" };

pub(crate) const CARGO_DENY: CargoTool =
    CargoTool { name: "cargo-deny", version: "0.20.2", flags: &[], takes: "about 2 minutes" };

/// A program with the name of its package.
pub(crate) struct CargoTool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Arguments of `cargo install` besides the version.
    pub(super) flags: &'static [&'static str],
    pub(super) takes: &'static str,
}

/// Fails with instructions if there is no C compiler. SQLite and parts of the tools are written in C.
pub(crate) fn c_compiler(shell: &Shell) -> anyhow::Result<()> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = compiler.split_whitespace();
    let (program, flags) = (command.next().unwrap_or("cc"), command);
    cmd!(shell, "{program} {flags...} -fsyntax-only -x c -")
        .quiet()
        .stdin("#include <stdlib.h>\n")
        .ignore_stderr()
        .run()
        .with_context(|| {
            format!("the C compiler `{compiler}` is missing or incomplete: sudo apt-get install gcc libc6-dev")
        })
}

/// Installs the compiler's target for the browser. Rustup installs the targets in rust-toolchain.toml together with the
/// toolchain, but does not add them to an installed toolchain.
pub(crate) fn wasm_target(workspace: &Workspace) -> anyhow::Result<()> {
    part_of_rust(workspace, &format!("target {WASM}"), WASM, &["target", "add", WASM])
}

/// Installs the sources of the standard library, for programs that it is compiled for anew.
pub(crate) fn rust_sources(workspace: &Workspace) -> anyhow::Result<()> {
    part_of_rust(workspace, "sources of the standard library", "src/rust/library", &["component", "add", "rust-src"])
}

/// Has rustup install a part of the toolchain, unless `folder` below lib/rustlib is there.
fn part_of_rust(workspace: &Workspace, what: &str, folder: &str, install: &[&str]) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    if Path::new(&sysroot).join("lib/rustlib").join(folder).is_dir() {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        bail!("this Rust has no {what} and there is no rustup: get both from https://rustup.rs");
    }
    cmd!(shell, "rustup --quiet {install...}").quiet().run()?;
    Ok(())
}

/// Builds the program that Trunk calls `wasm-bindgen`, and returns its folder.
pub(crate) fn wasm_bindgen(workspace: &Workspace, steps: &Steps) -> anyhow::Result<PathBuf> {
    let shell = workspace.shell()?;
    steps.build("building wasm-bindgen", [cmd!(shell, "cargo build --package trunk-bindgen")])?;
    // rustc rejects a crate with this name, to block versions of wasm-bindgen from before 2023, so the copy is renamed.
    let folder = workspace.target.join("xtask/bin");
    shell.create_dir(&folder)?;
    shell.copy_file(workspace.target.join("debug/trunk-bindgen"), folder.join("wasm-bindgen"))?;
    Ok(folder)
}

impl CargoTool {
    /// Finds or builds the tool, and returns its folder.
    pub(crate) fn ensure(&self, workspace: &Workspace, steps: &Steps) -> anyhow::Result<PathBuf> {
        let Self { name, version, takes, flags } = self;
        let flags = *flags;
        let shell = workspace.shell()?;
        if let Some(path) = on_path(name)
            && self.is_version(&shell, &path)
        {
            steps.skip(&format!("{name} {version} is on the PATH"));
            return Ok(path.parent().context("a program is in a folder")?.to_owned());
        }
        let root = workspace.tools.join(format!("{name}-{version}"));
        let bin = root.join("bin");
        if self.is_version(&shell, &bin.join(name)) {
            steps.skip(&format!("{name} {version} is installed"));
            return Ok(bin);
        }
        // The tools run for seconds but compile for minutes, so they are compiled with few optimisations.
        shell.set_var("CARGO_PROFILE_RELEASE_LTO", "off");
        shell.set_var("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        shell.set_var("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64");
        shell.set_var("CARGO_PROFILE_RELEASE_DEBUG", "0");
        shell.set_var("CARGO_PROFILE_RELEASE_PANIC", "abort");
        // The build folder stays until the build succeeds, so that the next attempt resumes there.
        let build = workspace.tools.join(format!("{name}-{version}-build"));
        shell.set_var("CARGO_TARGET_DIR", &build);
        let install = cmd!(shell, "cargo install {name} --version {version} --locked {flags...} --root {root} --force");
        steps
            .build(&format!("installing {name} {version} ({takes}, once)"), [install])
            .with_context(|| format!("{name} {version} could not be installed; is crates.io reachable?"))?;
        ensure!(self.is_version(&shell, &bin.join(name)), "{} holds no {name} {version}", bin.display());
        shell.remove_path(&build)?;
        Ok(bin)
    }

    fn is_version(&self, shell: &Shell, program: &Path) -> bool {
        let version = cmd!(shell, "{program} --version").quiet().ignore_stderr().read();
        version.is_ok_and(|printed| printed.split_whitespace().nth(1) == Some(self.version))
    }
}
