//! PostgreSQL's server and the pooler PgBouncer, of which tests and checks start instances of their own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::tools::{apt, on_path};
use crate::workspace::Workspace;

/// Debian and Ubuntu put each version's programs here, and not on the PATH.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Not on everybody's PATH.
const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// Installed for programs that run instances of their own, so the machine gets no database and no service by it. Each
/// file is there only meanwhile, and one that is there already is left alone.
const MEANWHILE: &[(&str, &str, &str)] = &[
    ("/etc/postgresql-common/createcluster.d/search4letters.conf", "create_main_cluster = false\n", "644"),
    // What Debian asks whether a service may be started; 101 is no.
    ("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", "755"),
];

/// The folder of the newest server's programs; installs what is missing.
pub(crate) fn postgres_server(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if let Some(folder) = newest(Path::new(VERSIONS)) {
        return Ok(folder);
    }
    install(workspace, "postgresql")?;
    newest(Path::new(VERSIONS)).with_context(|| format!("postgresql is installed, but no server is in {VERSIONS}"))
}

/// The pooler that stands between clients and a server in some of the tests.
pub(crate) fn pgbouncer(workspace: &Workspace) -> anyhow::Result<()> {
    if Path::new(PGBOUNCER).is_file() {
        return Ok(());
    }
    install(workspace, "pgbouncer")?;
    let shell = workspace.shell()?;
    if let (Some(root), true) = (apt::become_root(&shell), on_path("systemctl").is_some()) {
        // Debian lets it start at the next boot.
        cmd!(shell, "env {root...} systemctl --quiet disable pgbouncer.service").quiet().ignore_stderr().run()?;
    }
    Ok(())
}

fn install(workspace: &Workspace, package: &str) -> anyhow::Result<()> {
    let by_hand = format!("{package} is missing and installing it needs apt-get and root or sudo; install it by hand");
    let shell = workspace.shell()?;
    let root = apt::become_root(&shell).filter(|_| on_path("apt-get").is_some()).context(by_hand)?;
    let files: Vec<_> = MEANWHILE.iter().filter(|(path, ..)| !Path::new(path).exists()).collect();
    eprintln!("{package}: its programs only, no database is made and no service started");
    for (path, text, mode) in &files {
        put(&shell, root, path, text, mode)?;
    }
    let installed = apt::install(workspace, &[package]);
    for (path, ..) in &files {
        cmd!(shell, "env {root...} rm -f {path}").quiet().run()?;
    }
    installed
}

fn put(shell: &Shell, root: &[&str], path: &str, text: &str, mode: &str) -> anyhow::Result<()> {
    cmd!(shell, "env {root...} install -D -m {mode} /dev/stdin {path}").quiet().stdin(text).run()?;
    Ok(())
}

/// Folders in `versions` are named by their version.
fn newest(versions: &Path) -> Option<PathBuf> {
    let programs = fs::read_dir(versions).ok()?.flatten().filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let folder = version.path().join("bin");
        folder.join("postgres").is_file().then_some((number, folder))
    });
    programs.max_by_key(|(number, _)| *number).map(|(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_the_one_with_the_greatest_number_that_is_a_server() {
        let shell = Shell::new().expect("a shell");
        let versions = shell.create_temp_dir().expect("a folder");
        for program in ["9/bin/postgres", "15/bin/postgres", "17/bin/psql", "notes/bin/postgres"] {
            shell.write_file(versions.path().join(program), "").expect("written");
        }
        assert_eq!(newest(versions.path()), Some(versions.path().join("15/bin")));
        assert_eq!(newest(&versions.path().join("none")), None);
    }
}
