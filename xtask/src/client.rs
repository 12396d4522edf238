//! Builds the client's bundles into dist/, but only if an input has changed.

use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use xshell::cmd;

use crate::steps::{Steps, joined};
use crate::workspace::Workspace;
use crate::{fingerprint, minify, pack, precompress, preload, tools};

/// The client's inputs. A superfluous entry costs rebuilds; a missing one leaves a stale client.
const INPUTS: &[&str] = &[
    "app",
    "style",
    "xtask/bindgen",
    "xtask/src/client.rs",
    "xtask/src/pack",
    "xtask/src/pack.rs",
    "xtask/src/preload.rs",
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "rust-toolchain.toml",
];

/// How the client is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Compiles in a third of the time and is several times as large: for `cargo xtask run`.
    Quick,
    /// The shipped client: small and compressed.
    Shipped,
}

/// Leaves the texts of panics out of the shipped client: a browser shows them to nobody. The standard library has most of
/// them, so it is compiled too. The compiler calls these options unstable; rust-toolchain.toml says which compiler it is.
const WITHOUT_PANICS: [(&str, &str); 4] = [
    ("RUSTC_BOOTSTRAP", "1"),
    ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
    ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
    // Cargo adds these to the options in .cargo/config.toml.
    ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Zunstable-options -Cpanic=immediate-abort"),
];

/// `cargo xtask client`.
pub(crate) fn client(workspace: &Workspace) -> anyhow::Result<()> {
    let steps = Steps::new(steps_needed(workspace, Build::Shipped)?);
    ensure(workspace, &steps, Build::Shipped)?;
    eprint!("{}", precompress::report(&workspace.dist)?);
    Ok(())
}

/// How many steps [`ensure`] will take.
pub(crate) fn steps_needed(workspace: &Workspace, build: Build) -> anyhow::Result<u32> {
    Ok(match build {
        _ if is_fresh(workspace, build)? => 1,
        Build::Quick => 3,
        Build::Shipped => 4,
    })
}

/// Brings dist/ up to date.
pub(crate) fn ensure(workspace: &Workspace, steps: &Steps, build: Build) -> anyhow::Result<()> {
    ensure_beside(workspace, steps, build, || Ok(()))
}

/// Brings dist/ up to date, and runs `other` in parallel, so that no processor is idle.
pub(crate) fn ensure_beside(
    workspace: &Workspace,
    steps: &Steps,
    build: Build,
    other: impl FnOnce() -> anyhow::Result<()> + Send,
) -> anyhow::Result<()> {
    if is_fresh(workspace, build)? {
        steps.skip("the client in dist/ is up to date");
        return other();
    }
    tools::wasm_target(workspace)?;
    if build == Build::Shipped {
        tools::rust_sources(workspace)?;
    }
    thread::scope(|scope| {
        let trunk = scope.spawn(|| tools::TRUNK.ensure(workspace, steps));
        let wasm_bindgen = tools::wasm_bindgen(workspace, steps)?;
        // Not earlier: cargo runs only one build at a time per profile.
        let other = scope.spawn(other);
        let tools = [joined(trunk)?, wasm_bindgen];
        build_bundles(workspace, steps, build, &tools)?;
        joined(other)
    })
}

fn build_bundles(workspace: &Workspace, steps: &Steps, build: Build, tools: &[PathBuf]) -> anyhow::Result<()> {
    // Read before the build, so that a file changed during the build causes another one.
    let inputs = fingerprint::of(&workspace.root, INPUTS)?;
    let shell = workspace.shell()?;
    let path = env::var_os("PATH").unwrap_or_default();
    shell.set_var("PATH", env::join_paths(tools.iter().cloned().chain(env::split_paths(&path)))?);
    // Some environments set NO_COLOR=1; Trunk accepts only true and false.
    shell.set_var("NO_COLOR", "true");
    shell.set_var("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", workspace.target.join("debug/wasm-ld"));
    let (profile, release): (_, &[&str]) = match build {
        Build::Quick => ("client-quick", &[]),
        Build::Shipped => ("client", &["--release"]),
    };
    if build == Build::Shipped {
        WITHOUT_PANICS.iter().for_each(|(name, value)| shell.set_var(name, value));
    }
    // Trunk empties the folder that it builds into.
    let others = ["lab", "console"].map(|bundle| (format!("{bundle}.html"), workspace.target.join(bundle)));
    let bundle = |page: &str, folder: &Path| {
        // Trunk's `--offline` keeps it from looking for other tools.
        let trunk = cmd!(shell, "trunk build {release...} --cargo-profile {profile} --offline --skip-version-check");
        trunk.arg("--dist").arg(folder).args(["--html-output", page]).arg(Path::new("app").join(page))
    };
    // Trunk compiles the programs one after the other; here all are compiled at once.
    let programs = cmd!(shell, "cargo build --package app --bins --profile {profile} --target wasm32-unknown-unknown");
    let mut commands = vec![programs, bundle("index.html", &workspace.dist)];
    commands.extend(others.iter().map(|(page, folder)| bundle(page, folder)));
    steps.build("building the client", commands)?;
    // Two files with the same name are the same file, because names contain a hash of the content.
    for (_, folder) in &others {
        for file in shell.read_dir(folder)? {
            shell.copy_file(file, &workspace.dist)?;
        }
    }
    if build == Build::Shipped {
        steps.step("compressing the client", || {
            minify::folder(&workspace.dist)?;
            preload::folder(&workspace.dist)?;
            pack::folder(&workspace.dist)?;
            precompress::folder(&workspace.dist)
        })?;
    }
    let word = format!("{build:?}").to_lowercase();
    let stamp = format!("{word}\n{inputs}\n{}\n", fingerprint::of(&workspace.dist, &["."])?);
    shell.write_file(stamp_path(workspace), stamp)?;
    Ok(())
}

/// Whether dist/ holds a build of the current inputs. Reads dist/ too, because `trunk serve` leaves a development build
/// there. A shipped client also satisfies a request for a quick one.
fn is_fresh(workspace: &Workspace, build: Build) -> anyhow::Result<bool> {
    let Ok(stamp) = fs::read_to_string(stamp_path(workspace)) else { return Ok(false) };
    let is_enough = build == Build::Quick || stamp.starts_with("shipped\n");
    if !is_enough || !workspace.dist.is_dir() {
        return Ok(false);
    }
    let (inputs, outputs) = (fingerprint::of(&workspace.root, INPUTS)?, fingerprint::of(&workspace.dist, &["."])?);
    Ok(stamp.lines().skip(1).eq([inputs, outputs]))
}

fn stamp_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("xtask/client.stamp")
}
