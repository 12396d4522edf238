//! PostgreSQL's server and the pooler PgBouncer. Tests and checks start their own instances of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::tools::{apt, on_path};
use crate::workspace::Workspace;

/// Debian and Ubuntu put each version's programs here, and not on the PATH.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Its folder is only on root's PATH.
const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// Files that keep the installation from creating a database and from starting a service. They exist only during the
/// installation; one that exists already is left alone.
const DURING_INSTALLATION: &[(&str, &str, &str)] = &[
    ("/etc/postgresql-common/createcluster.d/search4letters.conf", "create_main_cluster = false\n", "644"),
    // Debian asks this program whether a service may start; 101 means no.
    ("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", "755"),
];

/// Returns the folder of the newest server's programs. Installs one if there is none.
pub(crate) fn postgres_server(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if let Some(folder) = newest(Path::new(VERSIONS)) {
        return Ok(folder);
    }
    install(workspace, "postgresql")?;
    newest(Path::new(VERSIONS)).with_context(|| format!("postgresql is installed, but no server is in {VERSIONS}"))
}

/// Finds or installs the connection pooler PgBouncer.
pub(crate) fn pgbouncer(workspace: &Workspace) -> anyhow::Result<()> {
    if Path::new(PGBOUNCER).is_file() {
        return Ok(());
    }
    install(workspace, "pgbouncer")?;
    let shell = workspace.shell()?;
    if let (Some(root), true) = (apt::become_root(&shell), on_path("systemctl").is_some()) {
        // Debian would start it at the next boot.
        cmd!(shell, "env {root...} systemctl --quiet disable pgbouncer.service").quiet().ignore_stderr().run()?;
    }
    Ok(())
}

fn install(workspace: &Workspace, package: &str) -> anyhow::Result<()> {
    let by_hand = format!("{package} is missing and installing it needs apt-get and root or sudo; install it by hand");
    let shell = workspace.shell()?;
    let root = apt::become_root(&shell).filter(|_| on_path("apt-get").is_some()).context(by_hand)?;
    let files: Vec<_> = DURING_INSTALLATION.iter().filter(|(path, ..)| !Path::new(path).exists()).collect();
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

/// The newest version's programs. Each folder in `versions` is named after its version.
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
    fn the_newest_server_has_the_greatest_version_number() {
        let shell = Shell::new().expect("a shell");
        let versions = shell.create_temp_dir().expect("a folder");
        for program in ["9/bin/postgres", "15/bin/postgres", "17/bin/psql", "notes/bin/postgres"] {
            shell.write_file(versions.path().join(program), "").expect("written");
        }
        assert_eq!(newest(versions.path()), Some(versions.path().join("15/bin")));
        assert_eq!(newest(&versions.path().join("none")), None);
    }
}
