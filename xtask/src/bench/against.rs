//! `cargo xtask bench --against REV`: whether a change has made searches and jobs dearer.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use super::measure;
use crate::steps::Steps;
use crate::tools;
use crate::workspace::Workspace;

/// Short, because many rounds show more than long ones.
const SECONDS: &str = "5";

/// Splits `--against REV` off the arguments. Returns the revision and the rest.
pub(super) fn revision_in(arguments: &[String]) -> anyhow::Result<Option<(&str, Vec<String>)>> {
    let Some(at) = arguments.iter().position(|argument| argument == "--against") else { return Ok(None) };
    let revision = arguments.get(at + 1).context("--against wants a revision, for instance HEAD~1")?;
    let rest: Vec<String> = [&arguments[..at], &arguments[at + 2..]].concat();
    if let Some(other) = rest.iter().find(|argument| matches!(argument.as_str(), "--only" | "--long" | "--write-docs"))
    {
        bail!("--against measures the same things each time, so {other} says nothing: leave it out");
    }
    Ok(Some((revision, rest)))
}

/// Builds the servers of `revision` and of the working tree, and compares their processor time in turns.
pub(super) fn against(
    workspace: &Workspace,
    folder: &Path,
    revision: &str,
    arguments: &[String],
) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    tools::c_compiler(&shell)?;
    let steps = Steps::new(6);
    steps.step("looking for PostgreSQL", || tools::postgres_server(workspace))?;
    // Its own build folder beside it is kept, so that only what differs is compiled the next time.
    let (checkout, target) = (folder.join("against"), folder.join("against-target"));
    steps.step(&format!("checking out {revision}"), || check_out(workspace, &shell, revision, &checkout))?;
    // Each on its own: together with other packages they would be built with their features too.
    let server = cmd!(shell, "cargo build --locked --release --package server");
    steps.build("building the server", [server])?;
    {
        let _there = shell.push_dir(&checkout);
        let before = cmd!(shell, "cargo build --locked --release --package server").env("CARGO_TARGET_DIR", &target);
        steps.build(&format!("building that of {revision} (about 6 minutes from nothing)"), [before])?;
    }
    let bench = cmd!(shell, "cargo build --release --package bench");
    steps.build("building the load generator", [bench])?;
    let mut bench = Command::new(workspace.target.join("release/bench"));
    bench.arg(&workspace.root).arg(folder).arg("--against").arg(target.join("release/search4letters"));
    bench.args(["--seconds", SECONDS]).args(arguments);
    measure(&steps, bench)
}

/// Makes `checkout` a clone without a history of its own, at `revision`.
fn check_out(workspace: &Workspace, shell: &Shell, revision: &str, checkout: &Path) -> anyhow::Result<()> {
    let wanted = format!("{revision}^{{commit}}");
    let commit = cmd!(shell, "git rev-parse --verify --quiet --end-of-options {wanted}").quiet();
    let commit = commit.read().with_context(|| format!("{revision} is no commit of this repository"))?;
    if !checkout.exists() {
        let root = &workspace.root;
        cmd!(shell, "git clone --quiet --shared --no-checkout {root} {checkout}").quiet().run()?;
    }
    Ok(cmd!(shell, "git -C {checkout} checkout --quiet --force --detach {commit}").quiet().run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let words: Vec<_> = line.split_whitespace().map(ToOwned::to_owned).collect();
        Ok(revision_in(&words)?.map(|(revision, rest)| (revision.to_owned(), rest)))
    }

    #[test]
    fn the_revision_is_split_off() {
        let split = |revision: &str, rest: &[&str]| {
            Some((revision.to_owned(), rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()))
        };
        assert_eq!(read("--rounds 3").expect("read"), None);
        assert_eq!(read("--against HEAD~1").expect("read"), split("HEAD~1", &[]));
        assert_eq!(
            read("--rounds 3 --against main --seconds 2").expect("read"),
            split("main", &["--rounds", "3", "--seconds", "2"])
        );
        for wrong in ["--against", "--against main --only drain", "--write-docs --against main"] {
            read(wrong).expect_err(wrong);
        }
    }

    #[test]
    fn checks_out_one_commit_after_the_other() {
        let shell = Shell::new().expect("a shell");
        let folder = shell.create_temp_dir().expect("a temporary folder");
        let (root, checkout) = (folder.path().join("root"), folder.path().join("checkout"));
        shell.create_dir(&root).expect("made");
        shell.change_dir(&root);
        let git = |arguments: &[&str]| {
            let identity =
                ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"];
            cmd!(shell, "git {identity...} {arguments...}").quiet().read().expect("git works")
        };
        git(&["init", "--quiet"]);
        for text in ["one", "two"] {
            shell.write_file(root.join("file"), text).expect("written");
            git(&["add", "file"]);
            git(&["commit", "--quiet", "--message", text]);
        }
        let workspace =
            Workspace { target: root.join("target"), dist: root.join("dist"), tools: root.join("tools"), root };
        for (revision, text) in [("HEAD~1", "one"), ("HEAD", "two"), ("HEAD~1", "one")] {
            check_out(&workspace, &shell, revision, &checkout).expect("checked out");
            assert_eq!(shell.read_file(checkout.join("file")).expect("there"), text);
        }
        let error = check_out(&workspace, &shell, "no-such-revision", &checkout).expect_err("there is none");
        assert!(error.to_string().contains("no-such-revision"), "{error}");
    }
}
