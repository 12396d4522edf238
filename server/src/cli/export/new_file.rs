//! A file that is there once it is whole.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::cli::CommandError;

/// Its name, and what is written until it has that.
#[derive(Debug)]
pub struct NewFile {
    name: PathBuf,
    /// Beside it until then.
    part: PathBuf,
}

impl NewFile {
    /// Refuses a name that is taken.
    pub fn of(name: PathBuf) -> Result<Self, CommandError> {
        if name.symlink_metadata().is_ok() {
            return Err(taken(&name));
        }
        let mut part = name.clone().into_os_string();
        // Another process may be writing one of the same name. One that had our number has ended.
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(not_written(&part, &error)),
            _ => Ok(Self { name, part }),
        }
    }

    /// What is to be written until it is [`NewFile::finish`]ed.
    #[must_use]
    pub fn part(&self) -> &Path {
        &self.part
    }

    pub fn create(&self) -> Result<File, CommandError> {
        File::create_new(&self.part).map_err(|error| not_written(&self.part, &error))
    }

    /// Gives the file its name, on the disk too.
    pub fn finish(self) -> Result<(), CommandError> {
        let named = || -> io::Result<()> {
            File::open(&self.part)?.sync_all()?;
            std::fs::rename(&self.part, &self.name)?;
            let folder = self.name.parent().filter(|folder| *folder != Path::new(""));
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        // Somebody may have made one meanwhile.
        if self.name.symlink_metadata().is_ok() {
            return Err(taken(&self.name));
        }
        named().map_err(|error| not_written(&self.name, &error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // What is not finished is of no use. It is gone already where it was.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn taken(name: &Path) -> CommandError {
    CommandError(format!("{} exists: name another file with --output, or remove it", name.display()))
}

fn not_written(name: &Path, error: &io::Error) -> CommandError {
    CommandError(format!("{} cannot be written: {error}", name.display()))
}
