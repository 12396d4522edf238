//! Builds the client's two bundles into dist/, and only when something that it is made of has changed.

use std::fs;
use std::path::Path;

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{fingerprint, precompress, tools};

/// All that the client is made of. A file more in this list costs a rebuild too many, one too few a stale client.
const INPUTS: &[&str] = &["app", "style", ".cargo", "Cargo.lock", "Cargo.toml", "Trunk.toml", "rust-toolchain.toml"];

/// `cargo xtask client`.
pub(crate) fn client(workspace: &Workspace) -> anyhow::Result<()> {
    let mut steps = Steps::new(steps_needed(workspace)?);
    ensure(workspace, &mut steps)?;
    eprint!("{}", precompress::report(&workspace.dist)?);
    Ok(())
}

/// How many steps [`ensure`] will take.
pub(crate) fn steps_needed(workspace: &Workspace) -> anyhow::Result<u32> {
    Ok(if is_fresh(workspace)? { 1 } else { tools::CLIENT_TOOL_STEPS + 1 })
}

/// Brings dist/ up to date.
pub(crate) fn ensure(workspace: &Workspace, steps: &mut Steps) -> anyhow::Result<()> {
    if is_fresh(workspace)? {
        steps.skip("the client in dist/ is up to date");
        return Ok(());
    }
    let path = tools::client_tools(workspace, steps)?;
    steps.step("building the client (about 3 minutes from nothing)", || {
        // Read before the build: what changes meanwhile shall count as changed.
        let inputs = fingerprint::of(&workspace.root, INPUTS)?;
        let shell = workspace.shell()?;
        shell.set_var("PATH", path);
        // Some environments set NO_COLOR=1, which Trunk refuses as neither true nor false.
        shell.set_var("NO_COLOR", "true");
        build_bundle(&shell, SEARCH, &workspace.dist)?;
        let console = workspace.target.join("console");
        build_bundle(&shell, CONSOLE, &console)?;
        // What both have carries its hash in its name: there it is the same file.
        for file in shell.read_dir(&console)? {
            shell.copy_file(file, &workspace.dist)?;
        }
        precompress::folder(&workspace.dist)?;
        let stamp = format!("{inputs}\n{}\n", fingerprint::of(&workspace.dist, &["."])?);
        shell.write_file(stamp_path(workspace), stamp)?;
        Ok(())
    })
}

/// A page in app/ that names its program.
type Page = &'static str;

/// For visitors.
const SEARCH: Page = "index.html";
/// For all else.
const CONSOLE: Page = "console.html";

fn build_bundle(shell: &Shell, page: Page, folder: &Path) -> anyhow::Result<()> {
    // Offline is Trunk's: it must not look for newer or other tools. Cargo may still download.
    let trunk = cmd!(shell, "trunk build --release --cargo-profile client --offline --skip-version-check");
    trunk
        .args(["--dist".as_ref(), folder.as_os_str()])
        .args(["--html-output", page])
        .arg(Path::new("app").join(page))
        .quiet()
        .run()
        .with_context(|| format!("Trunk could not build the bundle of {page}"))
}

/// Whether dist/ is what the last build made of the files as they are. Looks at dist/ too, because
/// `trunk serve` leaves a development build there.
fn is_fresh(workspace: &Workspace) -> anyhow::Result<bool> {
    let Ok(stamp) = fs::read_to_string(stamp_path(workspace)) else { return Ok(false) };
    if !workspace.dist.is_dir() {
        return Ok(false);
    }
    let (inputs, outputs) = (fingerprint::of(&workspace.root, INPUTS)?, fingerprint::of(&workspace.dist, &["."])?);
    Ok(stamp.lines().eq([inputs, outputs]))
}

fn stamp_path(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join("xtask/client.stamp")
}
