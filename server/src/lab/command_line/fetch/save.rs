//! Stores the flags that arrive.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::mpsc::Receiver;

use lab::Body;

use crate::cli::CommandError;

/// Writes each as CC.svg, a name of our own making, until no more come. What could not be written does not keep the
/// others from being asked for; the first such error is returned at the end.
pub(super) fn save(folder: &Path, bodies: Receiver<Body>) -> Result<(), CommandError> {
    let mut saved = fs::create_dir_all(folder).map_err(|error| failed(folder, &error));
    for Body { country, bytes, .. } in bodies {
        let Some(country) = country else { continue };
        if saved.is_ok() {
            let name = format!("{}.svg", country.small());
            saved = write(folder, &name, &bytes).map_err(|error| failed(&folder.join(name), &error));
        }
    }
    saved
}

/// Whole or not at all, and in place of whatever has that name: a link is not followed.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = fs::File::create_new(&unfinished)?;
    let written = io::Write::write_all(&mut file, bytes).and_then(|()| fs::rename(&unfinished, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError(format!("{} cannot be written: {error}; choose another folder with --save", path.display()))
}
