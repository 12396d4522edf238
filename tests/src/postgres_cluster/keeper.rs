//! Whoever waits beside a server for the end of the test's process, which may come without notice.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::postgres_cluster::programs::path;

/// Its standard input ends when our process does. `kill` again and again, because a server that only just begins
/// ignores it. What a terminal sends to us all, at ^C, is not for it: it has to clean up.
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

/// A shell that runs one server. Dropped, it stops the server and removes its folder.
pub(super) struct Keeper {
    shell: Child,
}

impl Keeper {
    /// Starts `server`, which prints into the folder and ends at once at this signal.
    pub(super) fn start(server: &Command, signal: &str, folder: &Path) -> Self {
        // What a run before this one has printed must not be taken for words of this one.
        drop(fs::remove_file(file(folder)));
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder).arg(signal).arg(server.get_program()).args(server.get_args());
        command.current_dir("/").env_clear().env("PATH", path());
        let shell = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { shell: shell.expect("every system has a shell") }
    }

    /// Stops the server at once, and leaves its folder as it is.
    pub(super) fn stop(mut self) {
        let mut input = self.shell.stdin.take().expect("taken only at the end");
        input.write_all(b"keep\n").expect("the shell reads");
        drop(input);
        self.shell.wait().expect("our own child can be waited for");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error here says that somebody else has waited for it.
        drop(self.shell.wait());
    }
}

/// What the server has printed since its start.
pub(super) fn printed(folder: &Path) -> String {
    fs::read_to_string(file(folder)).unwrap_or_default()
}

fn file(folder: &Path) -> PathBuf {
    folder.join("printed")
}
