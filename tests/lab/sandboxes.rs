//! The folder in which a test's sandboxes live, and what of them is left there.

use std::fs;
use std::path::Path;

use server::lab::sandbox::Sandbox;
use tempfile::TempDir;
use tests::eventually;
use tests::server_process::workspace_program;

pub(crate) struct Ground(TempDir);

impl Ground {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub(crate) fn sandbox(&self) -> Sandbox {
        Sandbox { program: workspace_program("search4letters"), folder: self.path().to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The processes whose command line names a folder in here. One that has ended has no command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        let here = self.path().to_str().expect("our own folder's name is a text");
        let processes = fs::read_dir("/proc").expect("Linux shows its processes there").flatten();
        let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        lines.filter(|line| line.contains(here)).map(|line| line.replace('\0', " ")).collect()
    }

    pub(crate) async fn has_processes(&self, count: usize) {
        eventually(&format!("{count} sandboxes run"), async || (self.processes().len() == count).then_some(())).await;
    }

    /// Waits until no process and no file is left.
    pub(crate) async fn is_clean(&self) {
        eventually("no sandbox and nothing of one is left", async || {
            let left = fs::read_dir(self.path()).expect("the test's own folder").count();
            (self.processes().is_empty() && left == 0).then_some(())
        })
        .await;
    }
}
