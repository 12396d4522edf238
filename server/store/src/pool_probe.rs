//! Dummy use of pooled connections, for the lab. Separate from [`Store`](crate::Store), whose callers do not need it.

use std::fmt;
use std::time::Duration;

use api::PoolState;
use async_trait::async_trait;

use crate::Result;

/// A database whose pool of reading connections can be put under load.
#[async_trait]
pub trait PoolProbe: Send + Sync {
    /// The connections that [`probe`](Self::probe) uses.
    fn state(&self) -> PoolState;

    /// Uses a connection as a task would. Waits for it, or times out, as every read does. The connection is always
    /// returned, even if `taken` panics or the future is dropped.
    async fn probe(&self, probe: ProbeUse) -> Result<()>;

    /// Closes all connections of the database.
    async fn close(&self);
}

/// One dummy use: take a connection, call `taken`, run the statement, hold the connection, give it back.
pub struct ProbeUse {
    /// Called once the connection is acquired. May panic.
    pub taken: Box<dyn FnOnce() + Send>,
    pub statement: ProbeStatement,
    /// How long the connection is held after the statement has succeeded.
    pub hold: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeStatement {
    Valid,
    /// The database rejects it, and the probe returns the error.
    Invalid,
}

impl fmt::Debug for ProbeUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken: _, statement, hold } = self;
        f.debug_struct("ProbeUse").field("statement", statement).field("hold", hold).finish_non_exhaustive()
    }
}
