//! `cargo xtask test`: all tests, with the shipped build of the client.

use anyhow::{Context, bail};
use xshell::{Cmd, cmd};

use crate::client::{self, Build};
use crate::steps::{Output, Steps, watch};
use crate::workspace::{SERVER_PACKAGES, Workspace};
use crate::{run, tools};

/// Runs the tests whose name contains one of `filter`, or all if it is empty. A failure does not stop the others.
pub(crate) fn test(workspace: &Workspace, filter: &[String]) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    tools::c_compiler(&shell)?;
    let steps = Steps::new(client::steps_needed(workspace, Build::Shipped)? + 8);
    // The tests start the server's binary.
    let server = || run::build_server(workspace, &steps);
    client::ensure_beside(workspace, &steps, Build::Shipped, server)?;
    steps.step("looking for Chromium, chromedriver and axe", || {
        shell.set_var("CHROMEDRIVER", tools::chromedriver(workspace)?);
        shell.set_var("SEARCH4LETTERS_AXE", tools::axe(workspace)?);
        Ok(())
    })?;
    // Their packages are large, and not every mirror has them: without them, the paths are tested in Chromium.
    let mut missing = Vec::new();
    match tools::geckodriver(workspace, &steps) {
        Ok(Some(geckodriver)) => shell.set_var("GECKODRIVER", geckodriver),
        Ok(None) => missing.push("firefox"),
        Err(error) => {
            eprintln!("Firefox is not tested: {error:#}");
            missing.push("firefox");
        }
    }
    if let Err(error) = steps.step("looking for WebKit and its driver", || tools::webkit(workspace)) {
        eprintln!("WebKit is not tested: {error:#}");
        missing.push("webkit");
    }
    steps.step("looking for strace, faketime and namespaces", || tools::fault_tools(workspace))?;
    steps.step("looking for PostgreSQL and PgBouncer", || tools::databases(workspace))?;

    // The property tests in `tests` multiply their cases themselves; those in the packages read only proptest's
    // variable.
    if std::env::var_os("SEARCH4LETTERS_FAULTS").is_some_and(|length| length == "long") {
        shell.set_var("PROPTEST_CASES", "12800");
    }
    // Separately: together with the server they would be built with the server's feature `ssr`.
    let client = cmd!(shell, "cargo test --no-fail-fast --package api --package app -- --quiet {filter...}");
    let mut failures = steps.step("testing what the browser runs", || run_tests(client))?;
    let packages = SERVER_PACKAGES.iter().flat_map(|package| ["--package", package]);
    let skipped = missing.iter().flat_map(|engine| ["--skip".to_owned(), format!("{engine}::")]);
    let server = cmd!(shell, "cargo test --no-fail-fast {packages...} -- --quiet {skipped...} {filter...}");
    failures.extend(steps.step("testing the server", || run_tests(server))?);
    if !failures.is_empty() {
        bail!("these tests failed:\n{}", failures.join("\n"));
    }
    let all = match &missing[..] {
        [] => "all tests passed".to_owned(),
        missing => format!("all tests passed, but none ran in {}", missing.join(" and ")),
    };
    steps.finish(&all);
    Ok(())
}

/// Returns the lines of a report: each failed program as cargo selects it, for instance `cargo test -p tests --test
/// store`, and its failed tests.
fn run_tests(tests: Cmd) -> anyhow::Result<Vec<String>> {
    let name = tests.to_string();
    let mut report = Report::default();
    let is_success = watch(tests.into(), Output::Shown, |line| report.read(line));
    if !is_success.with_context(|| format!("{name} cannot be started"))? && report.lines.is_empty() {
        bail!("{name} failed before any test ran");
    }
    Ok(report.lines)
}

/// Collects the failures from the output of `cargo test`.
#[derive(Default)]
struct Report {
    /// The failed tests of the current program.
    tests: Vec<String>,
    is_in_list: bool,
    lines: Vec<String>,
}

impl Report {
    fn read(&mut self, line: &str) {
        if let Some((_, program)) = line.split_once("test failed, to rerun pass `") {
            self.lines.push(format!("  cargo test {}", program.trim_end_matches('`')));
            if self.tests.is_empty() {
                self.lines.push("    (ended without naming a test)".to_owned());
            }
            self.lines.append(&mut self.tests);
        }
        match line.starts_with("    ") {
            true if self.is_in_list => self.tests.push(line.to_owned()),
            _ => self.is_in_list = line == "failures:",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_each_failed_test_and_its_package() {
        let printed = "\
running 3 tests
.. 2/3
tidy::finds --- FAILED

failures:

---- tidy::finds stdout ----
    assertion failed

failures:
    tidy::finds
    tidy::reads

test result: FAILED. 1 passed; 2 failed; 0 ignored
error: test failed, to rerun pass `-p xtask --bin xtask`
running 1 test
error: test failed, to rerun pass `-p tests --test store`

Caused by:
  process didn't exit successfully (signal: 11)
error: doctest failed, to rerun pass `-p api --doc`
error: 3 targets failed:
    `-p xtask --bin xtask`
";
        let mut report = Report::default();
        printed.lines().for_each(|line| report.read(line));
        let lines = [
            "  cargo test -p xtask --bin xtask",
            "    tidy::finds",
            "    tidy::reads",
            "  cargo test -p tests --test store",
            "    (ended without naming a test)",
            "  cargo test -p api --doc",
            "    (ended without naming a test)",
        ];
        assert_eq!(report.lines, lines);
    }
}
