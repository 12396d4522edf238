//! Tools from the distribution's packages.

use std::fs;

use anyhow::{Context, bail};
use xshell::{Shell, cmd};

use crate::tools::on_path;
use crate::workspace::Workspace;

/// Installs the packages whose program is not on the PATH.
pub(crate) fn ensure(workspace: &Workspace, wanted: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<_> = wanted.iter().filter(|(program, _)| on_path(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    if on_path("apt-get").is_none() {
        let programs: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
        bail!("{} is missing, and this system has no apt-get to install it with", programs.join(", "));
    }
    install(workspace, &packages)
}

/// Installs the first of `packages` that the distribution has.
pub(super) fn install_first(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    if let Some(root) = become_root(&shell).filter(|_| on_path("apt-get").is_some()) {
        update(&shell, root)?;
    }
    let known = |package: &&&str| {
        cmd!(shell, "apt-get --simulate install {package}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
    };
    let package = packages
        .iter()
        .find(known)
        .with_context(|| format!("this system's apt-get has none of the packages {}", packages.join(", ")))?;
    install(workspace, &[package])
}

/// Installs `packages`, whether they are missing or not.
pub(super) fn install(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<()> {
    let by_hand = format!("install it by hand: apt-get install {}", packages.join(" "));
    let shell = workspace.shell()?;
    let Some(root) = become_root(&shell) else {
        bail!("{} is missing and installing it needs root or sudo; {by_hand}", packages.join(", "));
    };
    eprintln!("installing {} by apt-get (once)", packages.join(", "));
    // A machine that has just booted may be running its own updates: wait for them.
    let options = ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
    update(&shell, root)?;
    cmd!(shell, "env {root...} DEBIAN_FRONTEND=noninteractive apt-get {options...} install {packages...}")
        .quiet()
        .ignore_stdout()
        .run()
        .context(by_hand)
}

fn update(shell: &Shell, root: &[&str]) -> anyhow::Result<()> {
    cmd!(shell, "env {root...} DEBIAN_FRONTEND=noninteractive apt-get -q update").quiet().ignore_stdout().run()?;
    Ok(())
}

/// The first arguments of `env` that run a command as root. `None` if that needs a password.
pub(super) fn become_root(shell: &Shell) -> Option<&'static [&'static str]> {
    if cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id == "0") {
        return Some(&[]);
    }
    let sudo = on_path("sudo").is_some() && cmd!(shell, "sudo -n true").quiet().ignore_stderr().run().is_ok();
    sudo.then_some(&["sudo", "-n", "env"])
}

/// Ubuntu's package `chromium-browser` only installs a snap, which chromedriver cannot drive in a container.
pub(crate) fn is_ubuntu() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.lines().any(|line| line == "ID=ubuntu")
}
