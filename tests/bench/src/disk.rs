//! How long the disk takes to make something certain.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// As a commit to a write-ahead log does it.
const BLOCK: [u8; 4096] = [0x5a; 4096];
const TIMES: u32 = 200;

/// The median of writing a block at the end of a file and waiting for the disk, where databases are made.
pub(crate) fn fsync() -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
