//! `cargo xtask ci`: every check that a change must pass, cheapest first.

use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::workspace::{SERVER_PACKAGES, Workspace};
use crate::{sqlx, test, tidy, tools};

pub(crate) fn ci(workspace: &Workspace) -> anyhow::Result<()> {
    let steps = Steps::new(12);
    let shell = workspace.shell()?;
    tools::c_compiler(&shell)?;
    steps.run(
        "checking that Cargo.lock is complete",
        cmd!(shell, "cargo metadata --locked --format-version 1").ignore_stdout(),
    )?;
    steps.run("checking the format", cmd!(shell, "cargo fmt --all --check"))?;
    steps.step("checking the layout's rules", || tidy::tidy(workspace))?;
    dependencies(workspace, &shell, &steps)?;
    steps.step("checking the offline data of the SQL", || sqlx::check(workspace))?;
    let server: &Vec<_> = &SERVER_PACKAGES.iter().flat_map(|package| ["--package", package]).collect();
    let server_lints = cmd!(shell, "cargo clippy {server...} --all-targets -- -D warnings");
    steps.build("checking the server's code", [server_lints])?;
    tools::wasm_target(workspace)?;
    // Two commands: the client's code is compiled for the browser, its tests are not.
    let client_lints = cmd!(shell, "cargo clippy -p app --target wasm32-unknown-unknown -- -D warnings");
    let client_test_lints = cmd!(shell, "cargo clippy -p app -p api --all-targets -- -D warnings");
    steps.build("checking the client's code", [client_lints, client_test_lints])?;
    shell.set_var("RUSTDOCFLAGS", "-D warnings");
    let server_pages = cmd!(shell, "cargo doc --no-deps {server...}");
    let client_pages = cmd!(shell, "cargo doc --no-deps --package app --package api");
    steps.build("building the pages of cargo doc", [server_pages, client_pages])?;
    test::test(workspace, &[])?;
    steps.finish("everything passed");
    Ok(())
}

/// Checks the dependencies against deny.toml.
fn dependencies(workspace: &Workspace, shell: &Shell, steps: &Steps) -> anyhow::Result<()> {
    let deny = tools::CARGO_DENY.ensure(workspace, steps)?.join("cargo-deny");
    steps.run(
        "checking licences, bans and sources of the dependencies",
        cmd!(shell, "{deny} --log-level error check licenses bans sources"),
    )?;
    // Without the advisory database the check is skipped: a change must not fail because a download did.
    if cmd!(shell, "{deny} fetch db").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        steps.skip("security advisories are not checked: their database cannot be fetched");
        return Ok(());
    }
    steps.run("checking security advisories", cmd!(shell, "{deny} --log-level error check advisories"))
}
