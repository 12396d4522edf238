//! PostgreSQL's programs: where they are, and as whom they run.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

/// Where Debian installs each version's programs: the server's are not on the PATH.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Whom Debian's package makes for the server, which refuses to run as root.
const SERVER_USER: &str = "postgres";

/// The programs of one version.
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest that are installed.
    pub(super) fn find() -> Self {
        let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let complete = versions.filter_map(|version| {
            let number: u32 = version.file_name().to_str()?.parse().ok()?;
            let folder = version.path().join("bin");
            (folder.join("postgres").is_file() && folder.join("initdb").is_file()).then_some((number, folder))
        });
        let newest = complete.max_by_key(|(number, _)| *number);
        let (_, folder) = newest.unwrap_or_else(|| {
            panic!("no PostgreSQL server in {VERSIONS}: `cargo xtask test` installs Debian's package postgresql")
        });
        Self { folder }
    }

    /// A program of theirs with its arguments still to come. It is sent this signal when who has started it ends.
    pub(super) fn as_server_user(&self, program: &str, signal: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal]);
        if is_root() {
            command.args(["--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups"]);
        }
        command.arg("--").arg(self.folder.join(program));
        command
    }

    /// Makes the files of a new cluster below `folder`, which becomes the server's.
    pub(super) fn init(&self, folder: &Path, superuser: &str, password: &str) {
        let password_file = folder.join("password");
        std::fs::write(&password_file, password).expect("our own folder can be written to");
        if is_root() {
            run(Command::new("chown").args(["--recursive", &format!("{SERVER_USER}:")]).arg(folder));
        }
        let mut initdb = self.as_server_user("initdb", "KILL");
        initdb.arg("--pgdata").arg(data_folder(folder)).arg("--pwfile").arg(&password_file);
        initdb.args(["--username", superuser, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]);
        // Nothing of it has to survive a crash yet.
        run(initdb.arg("--no-sync"));
    }
}

pub(super) fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn is_root() -> bool {
    geteuid().is_root()
}

fn run(command: &mut Command) {
    // Whom the current folder is closed to must not be started in it.
    let output = command.current_dir("/").env_clear().env("PATH", path()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&printed));
}

/// What a developer has set for clusters of their own is not for these, but for where programs are.
pub(super) fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
