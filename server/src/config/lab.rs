//! What the waiting lab can be told to do.

mod scenario;

use clap::Subcommand;

pub use scenario::{LabDatabase, LabRequest, LabSandbox};

#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// Let many tasks share a few connections to the database, and see that every connection comes back
    ///
    /// The tasks only read. Where there is no database yet, they use an empty one in a temporary folder.
    Database(LabDatabase),
    /// Kill servers that write a search down: in a bare task, and as a job; and wait for one that awaits it
    ///
    /// In processes of their own, on temporary folders: no real data is touched.
    Request(LabRequest),
    /// One of the servers that `lab request` kills
    #[command(hide = true)]
    Sandbox(LabSandbox),
}
