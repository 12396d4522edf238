//! The disk and this process, as the operating system reports them, and the workers on this database.

use std::path::Path;
use std::time::Duration;

use api::{DiskState, TimeMs, WorkerState};
use store::StoredWorker;

use super::SystemService;
use crate::platform::job::LocalWorker;

/// A worker beats every few seconds; one that was silent for longer than a lease has lost its jobs.
const SILENCE: Duration = Duration::from_secs(15);

/// The disk that holds `folder`.
pub fn disk(folder: &Path, database_bytes: u64) -> Option<DiskState> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let data_folder = folder.parent().unwrap_or(folder);
    Some(DiskState {
        folder: data_folder.display().to_string(),
        // The space available to this user: some is reserved for root.
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        database_bytes,
    })
}

/// The machine's name.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Resident memory; 0 without /proc.
pub fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    resident_bytes(&status).unwrap_or(0)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

impl SystemService {
    /// All workers. `now` and the beats in `known` are by the store's clock.
    pub(super) fn workers(&self, known: Vec<StoredWorker>, now: TimeMs, running: u64) -> Vec<WorkerState> {
        if self.store.is_shared() {
            known.into_iter().map(|known| worker_state(known, now, self.clock.wall())).collect()
        } else {
            // One process owns the database, so its worker runs every job.
            self.worker.iter().map(|worker| self.own(worker, running)).collect()
        }
    }

    fn own(&self, worker: &LocalWorker, running: u64) -> WorkerState {
        WorkerState {
            name: worker.name.0.clone(),
            host: host(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slots: worker.slots,
            busy: u32::try_from(running).unwrap_or(u32::MAX),
            started_at: self.started_at,
            heard_at: self.clock.wall(),
            is_silent: false,
        }
    }
}

/// What is known of a worker at `now`, by the store's clock, and at `wall`, by this machine's.
pub fn worker_state(StoredWorker { beat, running }: StoredWorker, now: TimeMs, wall: TimeMs) -> WorkerState {
    let silence = Duration::from_millis(u64::try_from(now.since(beat.at)).unwrap_or(0));
    WorkerState {
        name: beat.worker.0,
        host: beat.host,
        pid: beat.pid,
        version: beat.version,
        slots: beat.slots,
        busy: running,
        started_at: beat.started_at,
        // The beat is by the store's clock, the shown time by the wall clock: only the age carries over.
        heard_at: TimeMs(wall.0.saturating_sub(i64::try_from(silence.as_millis()).unwrap_or(i64::MAX))),
        is_silent: silence > SILENCE,
    }
}

#[cfg(test)]
mod tests {
    use store::{Beat, WorkerName};

    use super::*;

    #[test]
    fn reads_the_resident_memory() {
        assert_eq!(resident_bytes("VmPeak:\t  9 kB\nVmRSS:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(resident_bytes(""), None);
    }

    #[test]
    fn a_disk_has_a_size() {
        let disk = disk(Path::new("."), 7).expect("there is a disk");
        assert!(disk.total_bytes >= disk.free_bytes && disk.total_bytes > 0);
    }

    #[test]
    fn a_worker_that_has_not_beaten_for_longer_than_a_lease_is_silent() {
        let (start, wall) = (TimeMs(1_000_000), TimeMs(9_000_000));
        let beat = Beat {
            worker: WorkerName("w".to_owned()),
            host: "host".to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            slots: 8,
            started_at: wall,
            at: start,
            pruning: None,
        };
        let after = |silence: Duration| {
            let known = StoredWorker { beat: beat.clone(), running: 3 };
            let state = worker_state(known, start.after(silence), wall);
            (state.is_silent, wall.since(state.heard_at))
        };
        assert_eq!(after(Duration::ZERO), (false, 0));
        assert_eq!(after(SILENCE), (false, 15_000));
        assert_eq!(after(SILENCE + Duration::from_millis(1)), (true, 15_001));
        // A beat later than `now` does not count as silence.
        let early = worker_state(StoredWorker { beat: beat.clone(), running: 0 }, TimeMs(0), wall);
        assert_eq!((early.is_silent, early.heard_at), (false, wall));
    }
}
