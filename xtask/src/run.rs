//! `cargo xtask run` and `cargo xtask dist`: from a checkout to the running or shipped product.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, bail};
use xshell::cmd;

use crate::client::{self, Build};
use crate::steps::Steps;
use crate::tools;
use crate::workspace::Workspace;

const HELP: &str = "\
Usage: cargo xtask run [-- SERVER ARGUMENTS]

Builds the client, the server and the tools for it, and serves http://127.0.0.1:3000. The first run takes about 8 minutes on
two processors. Both are compiled for a short build, not for speed; `cargo xtask dist` builds what is shipped.

Server arguments are for instance --listen 127.0.0.1:8080, --data FOLDER, or --log-delay 15s; docs/operating.md lists all of
them, and once the server is built, `cargo xtask run -- help` explains them.
";

/// The server's default address.
const LISTEN: &str = "127.0.0.1:3000";

/// Builds the client and the server, then replaces this process by the server, so that it receives Ctrl-C and all other
/// signals.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    if arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        print!("{HELP}");
        return Ok(());
    }
    let settings = fs::read_to_string(workspace.root.join("docs/operating.md")).unwrap_or_default();
    check(arguments, &settings, env::var("SEARCH4LETTERS_LISTEN").ok())?;
    tools::c_compiler(&workspace.shell()?)?;
    let steps = Steps::new(client::steps_needed(workspace, Build::Quick)? + 1);
    client::ensure_beside(workspace, &steps, Build::Quick, || build_server(workspace, &steps))?;
    steps.finish("ready");
    let server = workspace.target.join("debug/search4letters");
    let error = Command::new(&server).args(arguments).exec();
    Err(error).with_context(|| format!("{} cannot be started", server.display()))
}

/// Builds the server, also for the tests. It reads the client from dist/ at run time, so the build needs no client.
pub(crate) fn build_server(workspace: &Workspace, steps: &Steps) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    // The server is compiled to look there only if the folder exists.
    shell.create_dir(&workspace.dist)?;
    steps.build("building the server", [cmd!(shell, "cargo build --package server")])
}

/// Builds the product: one program, target/release/search4letters, with the client embedded.
pub(crate) fn dist(workspace: &Workspace) -> anyhow::Result<()> {
    tools::c_compiler(&workspace.shell()?)?;
    let steps = Steps::new(dist_steps_needed(workspace)?);
    build_dist(workspace, &steps)?;
    steps.finish("target/release/search4letters is built");
    Ok(())
}

pub(crate) fn dist_steps_needed(workspace: &Workspace) -> anyhow::Result<u32> {
    Ok(client::steps_needed(workspace, Build::Shipped)? + 1)
}

pub(crate) fn build_dist(workspace: &Workspace, steps: &Steps) -> anyhow::Result<()> {
    client::ensure(workspace, steps, Build::Shipped)?;
    let shell = workspace.shell()?;
    // On its own: together with other packages it would be built with their features too.
    let server = cmd!(shell, "cargo build --locked --release --package server");
    steps.build("building the server as it is shipped (about 6 minutes from nothing)", [server])
}

/// Rejects wrong arguments before the build, which takes minutes. `settings` is the page that lists the server's flags.
fn check(arguments: &[String], settings: &str, listen: Option<String>) -> anyhow::Result<()> {
    // Commands other than `serve` have their own flags and do not listen.
    if arguments.first().is_some_and(|first| !first.starts_with('-') && first != "serve") {
        return Ok(());
    }
    let mut listen = listen.unwrap_or_else(|| LISTEN.to_owned());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (flag, value) =
            argument.split_once('=').map_or((argument.as_str(), None), |(flag, value)| (flag, Some(value)));
        let is_known = flag == "--version" || settings.contains(&format!("`{flag}`"));
        if flag.starts_with("--") && !is_known && settings.contains("`--listen`") {
            bail!("the server has no {flag}; docs/operating.md lists its flags");
        }
        if flag == "--listen" {
            listen =
                value.or(rest.next().map(String::as_str)).context("--listen needs an address and a port")?.to_owned();
        }
    }
    match TcpListener::bind(&listen) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("{listen} is in use by another program: end it, or add `-- --listen 127.0.0.1:8080`")
        }
        // The server explains other errors itself.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_flag_and_a_busy_port_are_found_before_the_build() {
        let busy = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = busy.local_addr().expect("bound").to_string();
        let check = |line: &str| {
            let arguments: Vec<_> = line.split_whitespace().map(ToOwned::to_owned).collect();
            check(&arguments, "| `--listen` | `--data` |", Some("127.0.0.1:0".to_owned()))
        };
        for right in ["", "--data x", "serve --data=x", "check --any", "--listen 127.0.0.1:0"] {
            check(right).expect(right);
        }
        for wrong in [
            "--dta x",
            "--data x --lissen=y",
            "--listen",
            &format!("--listen {address}"),
            &format!("--listen={address}"),
        ] {
            check(wrong).expect_err(wrong);
        }
    }
}
