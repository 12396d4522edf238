//! `cargo xtask test`: all tests, with the shipped build of the client.

use anyhow::{Context, bail};
use xshell::{Cmd, cmd};

use crate::client::{self, Build};
use crate::steps::{Output, Steps, watch};
use crate::workspace::{SERVER_PACKAGES, Workspace};
use crate::{run, tools};

/// A test program that failed.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    /// How cargo selects it, for instance `-p tests --test store`.
    program: String,
    /// Empty if the program failed without naming a test.
    tests: Vec<String>,
}

/// Runs the tests whose name contains one of `filter`, or all if it is empty. A failure does not stop the others.
pub(crate) fn test(workspace: &Workspace, filter: &[String]) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    tools::c_compiler(&shell)?;
    let steps = Steps::new(client::steps_needed(workspace, Build::Shipped)? + 6);
    // The tests start the server's binary.
    let server = || run::build_server(workspace, &steps);
    client::ensure_beside(workspace, &steps, Build::Shipped, server)?;
    let browser = steps.step("looking for Chromium, chromedriver and axe", || tools::browser_tools(workspace))?;
    steps.step("looking for strace, faketime and namespaces", || tools::fault_tools(workspace))?;
    steps.step("looking for PostgreSQL and PgBouncer", || tools::databases(workspace))?;

    // The property tests in `tests` multiply their cases themselves; those in the packages read only proptest's
    // variable.
    if std::env::var_os("SEARCH4LETTERS_FAULTS").is_some_and(|length| length == "long") {
        shell.set_var("PROPTEST_CASES", "12800");
    }
    shell.set_var("CHROMEDRIVER", browser.chromedriver);
    shell.set_var("SEARCH4LETTERS_AXE", browser.axe);
    // Separately: together with the server they would be built with the server's feature `ssr`.
    let client = cmd!(shell, "cargo test --no-fail-fast --package api --package app -- --quiet {filter...}");
    let mut failures = steps.step("testing what the browser runs", || run_tests(client))?;
    let packages = SERVER_PACKAGES.iter().flat_map(|package| ["--package", package]);
    let server = cmd!(shell, "cargo test --no-fail-fast {packages...} -- --quiet {filter...}");
    failures.extend(steps.step("testing the server", || run_tests(server))?);
    if !failures.is_empty() {
        bail!("{}", summary(&failures));
    }
    steps.finish("all tests passed");
    Ok(())
}

fn run_tests(tests: Cmd) -> anyhow::Result<Vec<Failure>> {
    let name = tests.to_string();
    let mut report = Report::default();
    let is_success = watch(tests.into(), Output::Shown, |line| report.read(line));
    if !is_success.with_context(|| format!("{name} cannot be started"))? && report.failures.is_empty() {
        bail!("{name} failed before any test ran");
    }
    Ok(report.failures)
}

/// Collects the failures from the output of `cargo test`.
#[derive(Default)]
struct Report {
    /// The failed tests of the current program.
    tests: Vec<String>,
    is_in_list: bool,
    failures: Vec<Failure>,
}

impl Report {
    fn read(&mut self, line: &str) {
        if let Some((_, program)) = line.split_once("test failed, to rerun pass `") {
            let program = program.trim_end_matches('`').to_owned();
            self.failures.push(Failure { program, tests: std::mem::take(&mut self.tests) });
        }
        match line.strip_prefix("    ") {
            Some(test) if self.is_in_list => self.tests.push(test.to_owned()),
            _ => self.is_in_list = line == "failures:",
        }
    }
}

fn summary(failures: &[Failure]) -> String {
    let mut lines = vec!["these tests failed:".to_owned()];
    for Failure { program, tests } in failures {
        lines.push(format!("  cargo test {program}"));
        lines.extend(tests.iter().map(|test| format!("    {test}")));
        if tests.is_empty() {
            lines.push("    (ended without naming a test)".to_owned());
        }
    }
    lines.join("\n")
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
        assert_eq!(
            summary(&report.failures),
            "these tests failed:\n  cargo test -p xtask --bin xtask\n    tidy::finds\n    tidy::reads\n  \
             cargo test -p tests --test store\n    (ended without naming a test)\n  \
             cargo test -p api --doc\n    (ended without naming a test)"
        );
    }
}
