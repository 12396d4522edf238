//! Keeps the data from the other users of the machine: it contains password hashes, the key of the receipts, and what
//! people have searched.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::umask;

use super::check::Finding;
use super::config::{Config, DatabaseUrl};

/// The rights of the owner: for a folder, for a file.
const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
/// Group and others.
const OTHER_USERS: u32 = 0o077;
const WRITE_BY_OTHERS: u32 = 0o022;

/// From now on every file and folder that the process creates belongs to its user alone, whatever the caller's umask is.
/// This includes exports. A folder's default access list goes before the umask, so what holds data is also created with
/// its mode.
pub fn make_new_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Takes the rights of other users from existing data, for instance of an earlier version or from a restored backup.
pub fn make_data_private(config: &Config) {
    for Exposed { path, mode } in exposed(&data(config)) {
        let (shown, wanted) = (path.display(), mode & !OTHER_USERS);
        match fs::set_permissions(&path, Permissions::from_mode(wanted)) {
            Ok(()) => tracing::info!("other users could open {shown} (mode {mode:o}): its mode is {wanted:o} now"),
            Err(error) => tracing::warn!("other users can open {shown}, and its mode cannot be changed: {error}"),
        }
    }
}

/// Reports data that other users can open, and folders of data in which they can replace files.
pub fn check_private(config: &Config) -> Vec<Finding> {
    let (data, folders) = (data(config), folders(config));
    let mut findings: Vec<_> = exposed(&data).iter().map(Exposed::finding).collect();
    for folder in &folders {
        if mode(folder).is_ok_and(|mode| mode & WRITE_BY_OTHERS != 0) {
            let shown = folder.display();
            findings.push(Finding::Wrong(format!("other users can replace files in {shown}: run chmod go-w {shown}")));
        }
    }
    let looked_at: Vec<_> = data.iter().chain(&folders).map(|path| (path, mode(path))).collect();
    let unseen = looked_at.iter().filter_map(|(path, mode)| match mode {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some(Finding::Noted(format!(
            "whether other users can open {} was not seen ({error}): run check as the server's user",
            path.display()
        ))),
        _ => None,
    });
    findings.extend(unseen);
    if findings.is_empty() {
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        findings.push(Finding::Good(format!("the data in {} is closed to other users", folders.join(" and "))));
    }
    findings
}

/// Everything that may hold data. The data folder itself may contain other things, and stays as it is.
fn data(config: &Config) -> Vec<PathBuf> {
    let spool = config.spool().folder;
    let mut paths: Vec<_> = ["records", "set-aside", "lock"].iter().map(|name| spool.join(name)).collect();
    paths.push(spool);
    if let Some(file) = database_file(config) {
        paths.extend(["-wal", "-shm", ""].map(|ending| {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        }));
    }
    paths
}

/// The folders that hold data: the data folder, and the database's if that is another one.
fn folders(config: &Config) -> Vec<PathBuf> {
    let data = config.store.data.clone();
    let of_database = database_file(config).map(|file| match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    });
    let is_other = |folder: &PathBuf| fs::canonicalize(folder).ok() != fs::canonicalize(&data).ok();
    let of_database = of_database.filter(is_other);
    [Some(data), of_database].into_iter().flatten().collect()
}

/// SQLite makes its other files beside the file that a symbolic link leads to.
fn database_file(config: &Config) -> Option<PathBuf> {
    match config.database() {
        DatabaseUrl::Sqlite(file) => Some(fs::canonicalize(&file).unwrap_or(file)),
        DatabaseUrl::Postgres(_) => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Exposed {
    path: PathBuf,
    /// Its permissions.
    mode: u32,
}

impl Exposed {
    fn finding(&self) -> Finding {
        let shown = self.path.display();
        let wanted = if self.path.is_dir() { FOLDER } else { FILE };
        Finding::Wrong(format!(
            "other users can open {shown}: start the server, which closes it, or run chmod {wanted:o} {shown}"
        ))
    }
}

fn exposed(paths: &[PathBuf]) -> Vec<Exposed> {
    let exposed = |path: &PathBuf| {
        let mode = mode(path).ok().filter(|mode| mode & OTHER_USERS != 0)?;
        Some(Exposed { path: path.clone(), mode })
    };
    paths.iter().filter_map(exposed).collect()
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::Parser;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn data_of_an_earlier_version_is_reported_and_closed() {
        let folder = TempDir::new().expect("a folder");
        let line: [&OsStr; 3] = ["x".as_ref(), "--data".as_ref(), folder.path().as_ref()];
        let config = Config::try_parse_from(line).expect("parsed");
        let spool = folder.path().join("spool");
        fs::create_dir(&spool).expect("made");
        let files = ["search4letters.db", "search4letters.db-wal", "spool/records", "spool/set-aside"];
        let files = files.map(|name| folder.path().join(name));
        for file in &files {
            fs::write(file, "data").expect("written");
            fs::set_permissions(file, Permissions::from_mode(0o644)).expect("changed");
        }
        fs::set_permissions(&spool, Permissions::from_mode(0o755)).expect("changed");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o775)).expect("changed");
        let wrong = |findings: Vec<Finding>| findings.iter().filter(|it| matches!(it, Finding::Wrong(_))).count();
        assert_eq!(wrong(check_private(&config)), files.len() + 2);

        make_data_private(&config);
        for file in &files {
            assert_eq!(mode(file).expect("it exists"), FILE, "{}", file.display());
        }
        assert_eq!(mode(&spool).expect("it exists"), FOLDER);
        assert_eq!(mode(folder.path()).expect("it exists"), 0o775, "it may contain other things");
        assert_eq!(wrong(check_private(&config)), 1, "others can still replace files");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("changed");
        assert_eq!(wrong(check_private(&config)), 0);
    }

    #[test]
    fn a_database_elsewhere_is_found_where_a_link_leads() {
        let (folder, elsewhere) = (TempDir::new().expect("a folder"), TempDir::new().expect("another"));
        let (link, target) = (folder.path().join("linked.db"), elsewhere.path().join("real.db"));
        let files = [target.clone(), elsewhere.path().join("real.db-wal"), elsewhere.path().join("real.db-shm")];
        for file in &files {
            fs::write(file, "data").expect("written");
            fs::set_permissions(file, Permissions::from_mode(0o644)).expect("changed");
        }
        fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o777)).expect("changed");
        std::os::unix::fs::symlink(&target, &link).expect("linked");
        let url = format!("sqlite:{}", link.display());
        let line: [&OsStr; 5] =
            ["x".as_ref(), "--data".as_ref(), folder.path().as_ref(), "--database-url".as_ref(), url.as_ref()];
        let config = Config::try_parse_from(line).expect("parsed");
        make_data_private(&config);
        for file in &files {
            assert_eq!(mode(file).expect("it exists"), FILE, "{}", file.display());
        }
        let found = check_private(&config);
        let shown = elsewhere.path().canonicalize().expect("it exists");
        let expected = format!("other users can replace files in {0}: run chmod go-w {0}", shown.display());
        assert_eq!(found, [Finding::Wrong(expected)]);
    }
}
