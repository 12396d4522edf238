//! What is done with a connection by somebody who only wants to see connections used.

use std::fmt;
use std::time::Duration;

/// Takes a connection, calls `taken`, reads with the connection, keeps it for `hold`, and gives it back.
pub struct Exercise {
    /// Called once the connection is there. May panic: the connection goes back all the same.
    pub taken: Box<dyn FnOnce() + Send>,
    /// How long the connection is kept after what was read has come; not at all where the reading has failed.
    pub hold: Duration,
    /// Whether a statement is read with that the database refuses: then the exercise ends with its error.
    pub is_broken: bool,
}

impl fmt::Debug for Exercise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken: _, hold, is_broken } = self;
        f.debug_struct("Exercise").field("hold", hold).field("is_broken", is_broken).finish_non_exhaustive()
    }
}
