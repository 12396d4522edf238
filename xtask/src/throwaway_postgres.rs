//! A temporary PostgreSQL with our schema and no rows, for checks that need a database.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use xshell::{Shell, TempDir, cmd};

use crate::tools;
use crate::workspace::Workspace;

/// The user that Debian's package creates, because the server refuses to run as root.
const SERVER_USER: &str = "postgres";

pub(crate) struct ThrowawayPostgres {
    programs: PathBuf,
    server: Child,
    /// Holds the server's only socket, so this folder's permissions decide who can connect.
    folder: TempDir,
}

impl ThrowawayPostgres {
    pub(crate) fn start(workspace: &Workspace, shell: &Shell) -> anyhow::Result<Self> {
        let programs = tools::postgres_server(workspace)?;
        let folder = shell.create_temp_dir()?;
        let (path, data) = (folder.path(), folder.path().join("data"));
        let as_user: &[&str] = if cmd!(shell, "id -u").quiet().read()? == "0" {
            cmd!(shell, "chown {SERVER_USER}: {path}").quiet().run()?;
            &["--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups"]
        } else {
            &[]
        };
        cmd!(shell, "chmod 700 {path}").quiet().run()?;
        let initdb = programs.join("initdb");
        // The server's user may be unable to read the checkout.
        let _elsewhere = shell.push_dir("/");
        cmd!(shell, "setpriv {as_user...} {initdb} -D {data} -U {SERVER_USER} -A trust -E UTF8 --locale C.UTF-8 -N")
            .quiet()
            .ignore_stdout()
            .run()
            .context("initdb failed")?;

        // The kernel ends the server when this process ends, even if it is killed.
        let mut server = Command::new("setpriv");
        server.args(["--pdeathsig", "QUIT"]).args(as_user).arg(programs.join("postgres")).arg("-D").arg(&data);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_min_messages=log", "-k"]).arg(path);
        server.current_dir("/").stdin(Stdio::null()).stderr(Stdio::piped());
        let mut server = server.spawn().context("setpriv cannot be started (it is in the package util-linux)")?;
        let printed = server.stderr.take().context("piped above")?;
        let started = Self { programs, server, folder };
        wait_until_ready(BufReader::new(printed))?;
        Ok(started)
    }

    /// The database's URL for sqlx.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{SERVER_USER}@localhost/postgres?host={}", self.folder.path().display())
    }

    /// Runs the statements of a file.
    pub(crate) fn run(&self, shell: &Shell, file: &Path) -> anyhow::Result<()> {
        let (psql, host) = (self.programs.join("psql"), self.folder.path());
        cmd!(shell, "{psql} -h {host} -U {SERVER_USER} -d postgres -X -q -v ON_ERROR_STOP=1 -f {file}")
            .quiet()
            .run()
            .with_context(|| format!("{} failed", file.display()))
    }
}

impl Drop for ThrowawayPostgres {
    fn drop(&mut self) {
        // SIGQUIT ends it and its child processes at once. If `kill` fails, the server has already ended.
        drop(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status());
        drop(self.server.wait());
    }
}

fn wait_until_ready(lines: impl BufRead) -> anyhow::Result<()> {
    let mut printed = Vec::new();
    for line in lines.lines() {
        let line = line?;
        if line.contains("ready to accept connections") {
            return Ok(());
        }
        printed.push(line);
    }
    bail!("PostgreSQL did not start:\n{}", printed.join("\n"))
}
