//! Detects changed files by their content, because a fresh checkout gives all files new times.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A fingerprint of the names and contents of all files at and below these paths. It may differ between versions of
/// Rust, which costs a build.
pub(crate) fn of(root: &Path, paths: &[&str]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root.join(path), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files at and below `path`; none if it does not exist.
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("{} cannot be listed", path.display()))? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use xshell::Shell;

    use super::*;

    #[test]
    fn changes_with_content_names_and_new_files() {
        let shell = Shell::new().expect("a shell");
        let folder = shell.create_temp_dir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let now = || of(folder.path(), &["app", "Cargo.lock"]).expect("readable");

        let mut seen = vec![now()];
        for (name, text) in [("app/a", "1"), ("app/a", "2"), ("app/b", ""), ("Cargo.lock", "")] {
            shell.write_file(path(name), text).expect("written");
            seen.push(now());
        }
        fs::rename(path("app/b"), path("app/c")).expect("renamed");
        seen.push(now());
        assert_eq!(seen.last(), Some(&now()), "the same files have the same fingerprint");

        let mut different = seen.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), seen.len(), "{seen:?}");
    }
}
