//! The limit on open files, which limits connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files for everything but connections: the database's connections have three each, and the client's files, standard
/// streams and the runtime have some.
const RESERVE: u64 = 256;

/// Raises this process's limit on open files as far as permitted, and returns how many of the `wanted` connections fit.
pub fn connections_that_fit(wanted: u32) -> u32 {
    let files = raise_open_files();
    let fits = fits(files, wanted);
    if fits < wanted {
        tracing::warn!(
            connections = fits,
            files,
            "only so many connections fit the limit on open files; raise it (ulimit -n), or lower --connections"
        );
    }
    fits
}

/// Raises this process's limit on open files as far as permitted, and returns it. `None` means unlimited.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Some systems refuse their own maximum: then the limit does not change.
    setrlimit(Resource::Nofile, raised).map_or(limit.current, |()| limit.maximum)
}

/// `None` means unlimited files.
fn fits(files: Option<u64>, wanted: u32) -> u32 {
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(RESERVE)).max(1);
    u32::try_from(room).map_or(wanted, |room| room.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_comes_before_connections() {
        assert_eq!(fits(None, 16_384), 16_384);
        assert_eq!(fits(Some(20_000), 16_384), 16_384);
        assert_eq!(fits(Some(1_024), 16_384), 1_024 - 256);
        assert_eq!(fits(Some(64), 16_384), 1);
        assert_eq!(fits(Some(u64::MAX), u32::MAX), u32::MAX);
    }
}
