//! `cargo xtask ci`: all that a change must pass, cheapest first.

use xshell::cmd;

use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{sqlx, test, tidy, tools};

pub(crate) fn ci(workspace: &Workspace) -> anyhow::Result<()> {
    let mut steps = Steps::new(6);
    let shell = workspace.shell()?;
    steps.step("checking that Cargo.lock is complete", || {
        cmd!(shell, "cargo metadata --locked --format-version 1").quiet().ignore_stdout().run()?;
        Ok(())
    })?;
    steps.step("checking the format", || {
        cmd!(shell, "cargo fmt --all --check").quiet().run()?;
        Ok(())
    })?;
    steps.step("checking the layout's rules", || tidy::tidy(workspace))?;
    steps.step("checking the offline data of the SQL", || sqlx::check(workspace))?;
    steps.step("checking the server's code", || {
        let packages =
            ["server", "lab", "queue", "spool", "store", "store-sqlite", "store-postgres", "tests", "bench", "xtask"];
        let packages = packages.iter().flat_map(|package| ["--package", package]);
        cmd!(shell, "cargo clippy --quiet {packages...} --all-targets -- -D warnings").quiet().run()?;
        Ok(())
    })?;
    steps.step("checking the client's code", || {
        tools::rust_target(workspace)?;
        // Apart from each other: the client's code is compiled for the browser, its tests are not.
        cmd!(shell, "cargo clippy --quiet -p app --target wasm32-unknown-unknown -- -D warnings").quiet().run()?;
        cmd!(shell, "cargo clippy --quiet -p app -p api --all-targets -- -D warnings").quiet().run()?;
        Ok(())
    })?;
    test::test(workspace, &[])?;
    steps.finish("everything passed");
    Ok(())
}
