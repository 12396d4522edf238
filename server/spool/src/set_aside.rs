//! The file of what cannot be replayed: one JSON object a line, for a person to look into.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

/// Where a folder's spool keeps what was set aside.
#[must_use]
pub fn set_aside_file(folder: &Path) -> PathBuf {
    folder.join("set-aside")
}

#[derive(Debug)]
pub(crate) struct SetAside {
    path: PathBuf,
    lines: u64,
}

impl SetAside {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = set_aside_file(folder);
        let lines = count(&path)?;
        Ok(Self { path, lines })
    }

    /// How many lines the file had when it was last written to.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Durable when it returns. What is no text is escaped, byte for byte.
    pub(crate) fn add(&mut self, why: &str, line: &[u8]) -> io::Result<()> {
        if !self.path.exists() {
            self.lines = 0;
        }
        let text = std::str::from_utf8(line).map_or_else(|_| line.escape_ascii().to_string(), str::to_owned);
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        writeln!(file, "{}", json!({ "why": why, "line": text }))?;
        file.sync_all()?;
        self.lines += 1;
        match self.path.parent() {
            // The file's name is in the folder, and must not be lost with it.
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// How many lines the file has; 0 where there is none.
pub(crate) fn count(file: &Path) -> io::Result<u64> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(bytes.iter().filter(|&&byte| byte == b'\n').count() as u64),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}
