//! What a given file is like: whether it can keep what is promised, and what its administrator should know.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::open_error::OpenFailure;

/// The size of the write-ahead log at which it is checkpointed. Four times SQLite's default: pages that every commit
/// changes are written to the file less often.
const CHECKPOINT_BYTES: u32 = 16 * 1024 * 1024;

/// Refuses a database that cannot keep what is promised, whatever a connection sets.
pub(crate) async fn refuse_unfit(connection: &mut SqliteConnection) -> Result<(), OpenFailure> {
    let encoding = sqlx::query_scalar::<_, String>("pragma encoding").fetch_one(&mut *connection).await?;
    if encoding != "UTF-8" {
        return Err(OpenFailure::Unfit(format!(
            "its encoding is {encoding}, in which SQLite changes some characters. Move it into a new file with \
             `search4letters copy`"
        )));
    }
    let journal = sqlx::query_scalar::<_, String>("pragma journal_mode").fetch_one(connection).await?;
    if journal != "wal" {
        return Err(OpenFailure::Unfit(format!(
            "its journal stays in the mode {journal}, because its file system cannot hold a write-ahead log. \
             Put it on a local disk"
        )));
    }
    Ok(())
}

/// Refuses a database of another program, before anything is written into it.
pub(crate) async fn refuse_foreign(connection: &mut SqliteConnection) -> Result<(), OpenFailure> {
    let tables = sqlx::query_as::<_, (bool, bool, bool)>(
        "select exists (select 1 from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'),
                exists (select 1 from sqlite_schema where type = 'table' and name = '_sqlx_migrations'),
                exists (select 1 from sqlite_schema where type = 'table' and name = 'job')",
    );
    let (has_tables, has_migrations, has_jobs) = tables.fetch_one(&mut *connection).await?;
    let has_foreign_migrations = has_migrations
        && !has_jobs
        && sqlx::query_scalar("select exists (select 1 from _sqlx_migrations)").fetch_one(connection).await?;
    if has_foreign_migrations || has_tables && !has_migrations {
        let reason = "it is a database of another program. Name a file that does not exist yet, or this program's own";
        return Err(OpenFailure::Unfit(reason.to_owned()));
    }
    Ok(())
}

/// Sets after how many pages the write-ahead log is checkpointed, and returns it: a database may have small or large ones.
pub(crate) async fn set_checkpoint(connection: &mut SqliteConnection) -> sqlx::Result<u32> {
    let page_bytes = sqlx::query_scalar::<_, u32>("pragma page_size").fetch_one(&mut *connection).await?;
    let pages = CHECKPOINT_BYTES / page_bytes.max(1);
    let set = format!("pragma wal_autocheckpoint = {pages}");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(connection).await?;
    Ok(pages)
}

/// What may break the promise of a database file, each with its remedy.
pub fn risks(file: &Path) -> Vec<String> {
    let shown = file.display();
    let mut risks = Vec::new();
    if is_path_on_network(file) {
        risks.push(format!(
            "{shown} is on a network file system, where locks do not keep two machines apart: put it on a local disk"
        ));
    }
    if is_path_in_memory(file) {
        risks.push(format!(
            "{shown} is in memory, and is lost with the machine's power: choose a folder on a disk with --data"
        ));
    }
    let names = std::fs::metadata(file).map_or(1, |metadata| metadata.nlink());
    if names > 1 {
        risks.push(format!(
            "{shown} is one of {names} names (hard links) of the same file, and its write-ahead log has only one of these \
             names: always start with the same name, or remove the others"
        ));
    }
    risks
}

/// On such a file system all locks of a file are of one kind.
#[cfg(target_os = "linux")]
pub(crate) fn is_on_network(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|status| is_network(&status))
}

/// Without opening the file: closing it would drop SQLite's locks in this process.
#[cfg(target_os = "linux")]
fn is_path_on_network(file: &Path) -> bool {
    rustix::fs::statfs(file).is_ok_and(|status| is_network(&status))
}

#[cfg(target_os = "linux")]
fn is_path_in_memory(file: &Path) -> bool {
    /// tmpfs and ramfs.
    const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(file).is_ok_and(|status| IN_MEMORY.contains(&(status.f_type as u32)))
}

#[cfg(target_os = "linux")]
fn is_network(status: &rustix::fs::StatFs) -> bool {
    /// NFS, SMB, CIFS, SMB2, 9P, Ceph, AFS, Coda.
    const NETWORK: [u32; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x7375_7245];
    NETWORK.contains(&(status.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_on_network(_: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn is_path_on_network(_: &Path) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn is_path_in_memory(_: &Path) -> bool {
    false
}
