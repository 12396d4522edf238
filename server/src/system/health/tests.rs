//! Each cause alone, and all of them together.

use super::*;

const NOW: TimeMs = TimeMs(1_000_000);

fn health_of(change: impl FnOnce(&mut HealthInputs)) -> Health {
    let mut inputs = HealthInputs {
        fault: None,
        spool: SpoolState::default(),
        disk: None,
        ledger: None,
        retrying: None,
        other_dead: 0,
        paused: Vec::new(),
        runners: Runners::Some,
        workers: Vec::new(),
        probe: Some(Probe { ended_at: NOW, took_ms: 3 }),
        probe_failure: None,
        probe_waits: None,
        clock_ahead_ms: 0,
        is_losing_log_lines: false,
        pruning_failure: None,
        pruning_of_workers: Vec::new(),
        proxy_faults: Vec::new(),
        now: NOW,
    };
    change(&mut inputs);
    health(&inputs)
}

fn status_of(change: impl FnOnce(&mut HealthInputs)) -> HealthStatus {
    health_of(change).light
}

fn worker(name: &str, is_silent: bool) -> WorkerState {
    WorkerState {
        name: name.to_owned(),
        host: "host".to_owned(),
        pid: 7,
        version: String::new(),
        slots: 8,
        busy: 0,
        started_at: TimeMs(0),
        heard_at: TimeMs(NOW.0 - 20_000),
        is_silent,
    }
}

#[test]
fn healthy_only_after_a_recent_probe() {
    assert_eq!(status_of(|_| ()), HealthStatus::Healthy);
    assert_eq!(status_of(|inputs| inputs.probe = None), HealthStatus::Checking);
    let once = || Some(RetryingSearch { attempts: 1, error: String::new() });
    assert_eq!(status_of(|inputs| inputs.retrying = once()), HealthStatus::Healthy, "an accident");
    assert_eq!(status_of(|inputs| inputs.now = NOW.after(PROBE_HOLDS)), HealthStatus::Healthy);
    assert_eq!(status_of(|inputs| inputs.now = NOW.after(PROBE_HOLDS * 2)), HealthStatus::Checking);
    assert_eq!(status_of(|inputs| inputs.probe_waits = Some(PROBE_PATIENCE)), HealthStatus::Healthy);
    assert_eq!(status_of(|inputs| inputs.probe_waits = Some(PROBE_PATIENCE * 2)), HealthStatus::Failing);
}

/// Each input that is wrong, alone, with its status and a part of its sentence.
type Wrong = (fn(&mut HealthInputs), HealthStatus, &'static str);
const WRONG: [Wrong; 21] = [
    (|it| it.fault = Some(fault()), HealthStatus::Degraded, "SqlError: the database does not answer"),
    (|it| it.spool.fault = Some("full".to_owned()), HealthStatus::Degraded, "cannot help out"),
    (|it| it.spool.records = 1, HealthStatus::Degraded, "1 search is on its way from the spool"),
    (|it| (it.spool.used_bytes, it.spool.capacity_bytes) = (80, 100), HealthStatus::Degraded, "80 % full"),
    (|it| (it.spool.used_bytes, it.spool.capacity_bytes) = (96, 100), HealthStatus::Failing, "spool is full"),
    (|it| it.spool.quarantined = 1, HealthStatus::Degraded, "set aside"),
    (
        |it| it.ledger = Some(Ledger { accepted: 2, ..Ledger::default() }),
        HealthStatus::Failing,
        "2 searches are neither",
    ),
    (
        |it| it.ledger = Some(Ledger { recorded: 1, ..Ledger::default() }),
        HealthStatus::Degraded,
        "without having been accepted",
    ),
    (|it| it.ledger = Some(Ledger { accepted: 1, dead: 1, ..Ledger::default() }), HealthStatus::Degraded, "dead jobs"),
    (
        |it| it.retrying = Some(RetryingSearch { attempts: OFTEN, error: "SqlError: of this test".to_owned() }),
        HealthStatus::Degraded,
        "1 search waits for the log, and writing fails again and again (SqlError)",
    ),
    (|it| it.other_dead = 3, HealthStatus::Degraded, "3 other jobs are dead"),
    (|it| it.paused = vec!["lab_run".to_owned()], HealthStatus::Degraded, "Paused: lab_run"),
    (|it| it.runners = Runners::NotThisProcess, HealthStatus::Failing, "--no-worker"),
    (|it| it.runners = Runners::Nobody, HealthStatus::Failing, "No worker is there"),
    (
        |it| it.workers = vec![worker("a", false), worker("b", true)],
        HealthStatus::Degraded,
        "1 of 2 workers is silent: b on host for 20 s",
    ),
    (|it| it.probe_failure = Some("panicked".to_owned()), HealthStatus::Failing, "came to nothing: panicked"),
    (|it| it.clock_ahead_ms = -7_200_000, HealthStatus::Degraded, "7200 s behind"),
    (|it| it.is_losing_log_lines = true, HealthStatus::Degraded, "Log lines are being lost"),
    (
        |it| it.pruning_failure = Some(PruningFailure { in_a_row: 3, kind: FaultKind::SqlError }),
        HealthStatus::Degraded,
        "could not be deleted 3 times in a row (SqlError)",
    ),
    (
        |it| {
            let failure = PruningFailure { in_a_row: 4, kind: FaultKind::SqlError };
            it.pruning_of_workers = vec![("w on host".to_owned(), failure)];
        },
        HealthStatus::Degraded,
        "by the worker w on host 4 times in a row (SqlError)",
    ),
    (|it| it.proxy_faults.push(ProxyFault::UnreadableClient(String::new())), HealthStatus::Degraded, "cannot be read"),
];

fn fault() -> StoreFault {
    StoreFault { kind: FaultKind::SqlError, detail: String::new(), since: NOW }
}

#[test]
fn each_fault_is_a_cause_whatever_the_probe_says() {
    for (change, light, says) in WRONG {
        let health = health_of(change);
        assert_eq!(health.light, light, "{says}");
        let [cause] = &health.causes[..] else { panic!("{says}: {:?}", health.causes) };
        assert!(cause.sentence.contains(says) && cause.light == light, "{says}: {}", cause.sentence);
    }
}

#[test]
fn no_fault_hides_another_and_the_worst_comes_first() {
    for (one, _, says) in WRONG {
        for (other, light, also) in WRONG {
            let health = health_of(|inputs| {
                one(inputs);
                other(inputs);
            });
            assert!(health.light >= light, "{says} hides {also}");
            assert!(health.causes.is_sorted_by_key(|cause| Reverse(cause.light)));
        }
    }
    let health = health_of(|inputs| {
        inputs.ledger = Some(Ledger { accepted: 25, dead: 25, ..Ledger::default() });
        inputs.runners = Runners::Nobody;
        inputs.workers = vec![worker("a", true)];
    });
    let sentences: Vec<_> = health.causes.iter().map(|cause| cause.sentence.as_str()).collect();
    assert_eq!(sentences.len(), 3, "{sentences:?}");
    assert!(sentences[0].contains("No worker") && sentences[1].contains("25 searches"), "{sentences:?}");
}

#[test]
fn an_unwritable_spool_is_worse_without_the_database() {
    let health = health_of(|inputs| {
        inputs.fault = Some(fault());
        inputs.spool = SpoolState { fault: Some("full".to_owned()), ..SpoolState::default() };
    });
    assert_eq!((health.light, health.causes.len()), (HealthStatus::Failing, 1));
}

#[test]
fn a_paused_probe_does_not_mean_that_workers_hang() {
    let paused = |inputs: &mut HealthInputs| {
        (inputs.paused, inputs.probe_waits) = (vec!["probe".to_owned()], Some(PROBE_PATIENCE * 2));
    };
    assert_eq!(health_of(paused).causes.len(), 1);
}

#[test]
fn a_disk_is_nearly_full_by_its_size() {
    let status = |free_bytes, total_bytes| {
        let disk = DiskState { folder: String::new(), free_bytes, total_bytes, database_bytes: 0 };
        status_of(|inputs| inputs.disk = Some(disk))
    };
    const GIB: u64 = 1 << 30;
    assert_eq!(status(GIB / 2, 100 * GIB), HealthStatus::Degraded);
    assert_eq!(status(2 * GIB, 100 * GIB), HealthStatus::Healthy);
    assert_eq!(status(GIB / 2, GIB), HealthStatus::Healthy, "a small disk");
}
