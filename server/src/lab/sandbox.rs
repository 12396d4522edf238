//! Servers that may be killed: processes of our own program, each on an empty folder, which live no longer than
//! whoever has started them and leave nothing behind.

mod client;
mod process;
mod routes;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

pub(super) use self::client::{Client, PATIENCE};
pub(super) use self::process::Process;
pub use self::routes::routes;
pub(super) use self::routes::{AWAITED, BARE_TASK, Question};

/// A sandbox starts only in a folder beside which there is a file of this name, and is removed with all that stands
/// beside it: nobody's real data.
pub const MARKER: &str = "search4letters-sandboxes";

/// Where sandboxes come from.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The program `search4letters`.
    pub program: PathBuf,
    /// The folder in which they get temporary folders.
    pub folder: PathBuf,
}

impl Sandbox {
    /// Processes of the program that runs now, in the system's folder for temporary files. Fails where the system does
    /// not say which program that is.
    pub fn of_this_program() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
        Ok(Self { program, folder: std::env::temp_dir() })
    }

    /// A folder for the sandboxes of one run. It is removed with the last of them.
    pub(super) fn place(&self) -> Result<Place, String> {
        let failed = |error: std::io::Error| {
            let folder = self.folder.display();
            format!("a sandbox needs a temporary folder, and none can be made in {folder} (TMPDIR): {error}")
        };
        let folder = tempfile::Builder::new().prefix("search4letters-lab-").tempdir_in(&self.folder).map_err(failed)?;
        File::create(folder.path().join(MARKER)).map_err(failed)?;
        Ok(Place { program: self.program.clone(), folder: Arc::new(folder) })
    }
}

/// The folder of one run.
pub(super) struct Place {
    program: PathBuf,
    folder: Arc<TempDir>,
}

impl Place {
    /// Starts the server `name`, whose writes take `delay`; on what an earlier one of this name has left, if there was
    /// one. Returns when it can be asked, or why it cannot.
    pub(super) async fn start(&self, name: &str, delay: Duration) -> Result<Process, String> {
        Process::start(&self.program, self.folder.clone(), name, delay).await
    }

    /// Removes the folder. All processes have ended by then.
    pub(super) fn remove(self) {
        // Whoever cannot remove it leaves it to whoever clears the system's temporary files.
        drop(self.folder);
    }
}

/// The folder in which a sandbox and those of the same run have theirs, if it is one: it has the marker.
#[must_use]
pub fn shared_folder(own: &Path) -> Option<&Path> {
    own.parent().filter(|folder| folder.join(MARKER).is_file())
}
