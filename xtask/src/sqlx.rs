//! `cargo xtask sqlx`: the data that checks SQL in builds without a database.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use xshell::{Shell, cmd};

use crate::throwaway_postgres::ThrowawayPostgres;
use crate::workspace::Workspace;
use crate::{fingerprint, tools};

/// A database and its package.
#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// Regenerates the data.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let fresh = dialect.describe(workspace, &shell)?;
        shell.remove_path(dialect.committed())?;
        for (name, text) in fresh {
            shell.write_file(Path::new(&dialect.committed()).join(name), text)?;
        }
    }
    Ok(())
}

/// Fails if the committed data differs from what [`write()`] would write.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let shell = workspace.shell()?;
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let committed = dialect.committed();
        ensure!(
            dialect.describe(workspace, &shell)? == contents(&workspace.root.join(&committed))?,
            "{committed} does not match the SQL and the migrations: run `cargo xtask sqlx` and commit it"
        );
    }
    Ok(())
}

impl Dialect {
    /// The name in folders and packages.
    fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    fn committed(self) -> String {
        format!("server/store/{}/.sqlx", self.as_str())
    }

    /// Lets sqlx's macros describe every statement against a database with our tables. Returns the files by name.
    fn describe(self, workspace: &Workspace, shell: &Shell) -> anyhow::Result<BTreeMap<String, String>> {
        let mut migrations = Vec::new();
        fingerprint::collect(&workspace.root.join("migrations").join(self.as_str()), &mut migrations)?;
        // In the order of their application.
        migrations.sort();
        match self {
            Self::Sqlite => {
                tools::sqlite3(workspace)?;
                let folder = shell.create_temp_dir()?;
                let database = folder.path().join("empty.sqlite");
                for file in migrations {
                    cmd!(shell, "sqlite3 -bail {database}").quiet().stdin(shell.read_file(file)?).run()?;
                }
                self.describe_by(shell, &format!("sqlite://{}", database.display()))
            }
            Self::Postgres => {
                let postgres = ThrowawayPostgres::start(workspace, shell)?;
                migrations.iter().try_for_each(|file| postgres.run(shell, file))?;
                self.describe_by(shell, &postgres.url())
            }
        }
    }

    fn describe_by(self, shell: &Shell, url: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let into = shell.create_temp_dir()?;
        let _url = shell.push_env("DATABASE_URL", url);
        let _dir = shell.push_env("SQLX_OFFLINE_DIR", into.path());
        let _online = shell.push_env("SQLX_OFFLINE", "false");
        let package = format!("store-{}", self.as_str());
        // The macros write their data when they are expanded, and Cargo does not recompile unchanged packages.
        cmd!(shell, "cargo clean --quiet --package {package}").quiet().run()?;
        cmd!(shell, "cargo check --quiet --package {package} --all-targets").quiet().run()?;
        contents(into.path())
    }
}

fn contents(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = Vec::new();
    fingerprint::collect(folder, &mut files)?;
    let read = |file: &Path| -> anyhow::Result<_> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?))
    };
    files.iter().map(|file| read(file)).collect()
}
