//! Connections are open files, of which the system allows each process only so many.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For all that is no connection, here or in the server.
const RESERVE: u64 = 1_000;

/// Raises this process's limit as far as it may, and returns how many of `wanted` connections fit.
pub(crate) fn connections_that_fit(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("a process may raise its own limit to the hard one");
    let Some(files) = limit.maximum else { return wanted };
    // The server gives three quarters of its connections to event streams, and has the same limit.
    let room = usize::try_from(files.saturating_sub(RESERVE) / 4 * 3).expect("fewer files than addresses");
    if room < wanted {
        eprintln!("the hard limit on open files is {files}: {room} connections instead of {wanted}");
    }
    room.min(wanted)
}
