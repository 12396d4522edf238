//! PostgreSQL's programs: where they are installed, which user runs them, and how they are stopped.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

/// Where Debian installs each version's programs: the server's are not on the PATH.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The user that Debian's package creates, because the server refuses to run as root.
const SERVER_USER: &str = "postgres";

/// The programs of one version.
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest installed version.
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

    /// A command for one of the programs, without arguments. It gets this signal when its parent ends.
    pub(super) fn as_server_user(&self, program: &str, signal: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal]);
        if is_root() {
            command.args(["--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups"]);
        }
        command.arg("--").arg(self.folder.join(program));
        command
    }

    /// Creates a new cluster below `folder`, which the server's user then owns.
    pub(super) fn init(&self, folder: &Path, superuser: &str, password: &str) {
        let password_file = folder.join("password");
        std::fs::write(&password_file, password).expect("our own folder can be written to");
        if is_root() {
            run(Command::new("chown").args(["--recursive", &format!("{SERVER_USER}:")]).arg(folder));
        }
        let mut initdb = self.as_server_user("initdb", "KILL");
        initdb.arg("--pgdata").arg(data_folder(folder)).arg("--pwfile").arg(&password_file);
        initdb.args(["--username", superuser, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]);
        // A cluster without data need not survive a crash.
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
    // The server's user may be unable to enter the current folder.
    let output = command.current_dir("/").env_clear().env("PATH", path()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let printed = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&printed));
}

/// The only variable that these programs inherit: a developer's PGHOST and the like are for other clusters.
pub(super) fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Waits until the test's process ends, then stops the server. Repeats `kill`, because a server that has just started
/// ignores it. Ignores a terminal's ^C, because it has to clean up.
const SCRIPT: &str = r#"
trap '' INT QUIT TERM HUP
folder=$1
signal=$2
shift 2
"$@" </dev/null >"$folder/printed" 2>&1 &
read -r word
while kill -"$signal" $! 2>/dev/null; do sleep 0.02; done
test "$word" = keep || rm -rf "$folder"
"#;

/// A shell that runs one server. When it is dropped or the test's process ends in any way, the shell stops the server
/// and removes its folder.
pub(super) struct Supervisor {
    shell: Child,
}

impl Supervisor {
    /// Starts `server`, whose output goes into the folder, and which ends immediately at this signal.
    pub(super) fn start(server: &Command, signal: &str, folder: &Path) -> Self {
        // Output of an earlier run must not count as this run's.
        drop(fs::remove_file(file(folder)));
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder).arg(signal).arg(server.get_program()).args(server.get_args());
        command.current_dir("/").env_clear().env("PATH", path());
        let shell = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { shell: shell.expect("every system has a shell") }
    }

    /// Stops the server immediately and keeps its folder.
    pub(super) fn stop(mut self) {
        let mut input = self.shell.stdin.take().expect("taken only at the end");
        input.write_all(b"keep\n").expect("the shell reads");
        drop(input);
        self.shell.wait().expect("our own child can be waited for");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error means that the shell has already been waited for.
        drop(self.shell.wait());
    }
}

/// The server's output since its start.
pub(super) fn printed(folder: &Path) -> String {
    fs::read_to_string(file(folder)).unwrap_or_default()
}

fn file(folder: &Path) -> PathBuf {
    folder.join("printed")
}
