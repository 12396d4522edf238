//! `cargo xtask sqlx`: the offline data by which SQL is checked where there is no database.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use xshell::{Shell, cmd};

use crate::place::Place;
use crate::{fingerprint, tools};

const COMMITTED: &str = "server/store/sqlite/.sqlx";
const MIGRATIONS: &str = "migrations/sqlite";

/// Writes the data anew.
pub(crate) fn write(place: &Place) -> anyhow::Result<()> {
    let shell = place.shell()?;
    let fresh = shell.create_temp_dir()?;
    describe(place, &shell, fresh.path())?;
    shell.remove_path(COMMITTED)?;
    for (name, text) in contents(fresh.path())? {
        shell.write_file(Path::new(COMMITTED).join(name), text)?;
    }
    Ok(())
}

/// Fails unless the committed data is what [`write()`] would write.
pub(crate) fn check(place: &Place) -> anyhow::Result<()> {
    let shell = place.shell()?;
    let fresh = shell.create_temp_dir()?;
    describe(place, &shell, fresh.path())?;
    ensure!(
        contents(fresh.path())? == contents(&place.root.join(COMMITTED))?,
        "{COMMITTED} does not belong to the SQL and the migrations as they are: run `cargo xtask sqlx` and commit it"
    );
    Ok(())
}

/// Lets sqlx's macros describe every statement against a database with our tables.
fn describe(place: &Place, shell: &Shell, into: &Path) -> anyhow::Result<()> {
    tools::sqlite3(place)?;
    let folder = shell.create_temp_dir()?;
    let database = folder.path().join("empty.sqlite");
    let mut migrations = Vec::new();
    fingerprint::collect(&place.root.join(MIGRATIONS), &mut migrations)?;
    migrations.sort();
    for file in migrations {
        let sql = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        cmd!(shell, "sqlite3 -bail {database}").quiet().stdin(sql).run()?;
    }
    let _url = shell.push_env("DATABASE_URL", format!("sqlite://{}", database.display()));
    let _dir = shell.push_env("SQLX_OFFLINE_DIR", into);
    let _online = shell.push_env("SQLX_OFFLINE", "false");
    // The macros write when they are expanded, and cargo expands nothing that has not changed.
    cmd!(shell, "cargo clean --quiet --package store-sqlite").quiet().run()?;
    cmd!(shell, "cargo check --quiet --package store-sqlite --all-targets").quiet().run()?;
    Ok(())
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
