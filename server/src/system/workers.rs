//! Who runs jobs from this database.

use std::time::Duration;

use api::{TimeMs, WorkerState};
use store::StoredWorker;

use super::machine;
use crate::app_state::{Environment, WorkerSection};

/// A worker is heard of every few seconds; one that was silent for longer than a lease has lost its jobs.
const SILENCE: Duration = Duration::from_secs(15);

/// All of them, if `known` are those that the store knows at `now` by the store's clock.
pub(super) fn workers(env: &Environment, known: Vec<StoredWorker>, now: TimeMs, running: u64) -> Vec<WorkerState> {
    if env.store.is_shared() {
        known.into_iter().map(|known| shown(known, now, env.clock.wall())).collect()
    } else {
        // One process owns the database: whatever runs, its worker runs, and who asks it hears of it.
        env.jobs.worker.iter().map(|worker| own(env, worker, running)).collect()
    }
}

fn own(env: &Environment, worker: &WorkerSection, running: u64) -> WorkerState {
    WorkerState {
        name: worker.name.0.clone(),
        host: machine::host(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: worker.slots,
        busy: u32::try_from(running).unwrap_or(u32::MAX),
        started_at: env.started_at,
        heard_at: env.clock.wall(),
        is_silent: false,
    }
}

fn shown(StoredWorker { beat, running }: StoredWorker, now: TimeMs, wall: TimeMs) -> WorkerState {
    let silence = Duration::from_millis(u64::try_from(now.since(beat.at)).unwrap_or(0));
    WorkerState {
        name: beat.worker.0,
        host: beat.host,
        pid: beat.pid,
        version: beat.version,
        slots: beat.slots,
        busy: running,
        started_at: beat.started_at,
        // The clock that decides is nobody's on the wall: what is shown is how long ago it was.
        heard_at: TimeMs(wall.0.saturating_sub(i64::try_from(silence.as_millis()).unwrap_or(i64::MAX))),
        is_silent: silence > SILENCE,
    }
}

#[cfg(test)]
mod tests {
    use store::{Beat, WorkerName};

    use super::*;

    #[test]
    fn who_was_not_heard_of_for_longer_than_a_lease_is_silent() {
        let (start, wall) = (TimeMs(1_000_000), TimeMs(9_000_000));
        let beat = Beat {
            worker: WorkerName("w".to_owned()),
            host: "host".to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            slots: 8,
            started_at: wall,
            at: start,
        };
        let after = |silence: Duration| {
            let known = StoredWorker { beat: beat.clone(), running: 3 };
            let state = shown(known, start.after(silence), wall);
            (state.is_silent, wall.since(state.heard_at))
        };
        assert_eq!(after(Duration::ZERO), (false, 0));
        assert_eq!(after(SILENCE), (false, 15_000));
        assert_eq!(after(SILENCE + Duration::from_millis(1)), (true, 15_001));
        // A beat that was written after the time was read is no silence.
        let early = shown(StoredWorker { beat: beat.clone(), running: 0 }, TimeMs(0), wall);
        assert_eq!((early.is_silent, early.heard_at), (false, wall));
    }
}
