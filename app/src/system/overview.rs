//! What the groups of the page say. Pure, so that it can be tested without a page.

use api::{DiskState, PoolState, ProcessState, QueueState, SpoolState, SystemState};

use crate::system::groups::{Fact, Group, Remark, Weight};
use crate::system::usage::{Level, Usage, percent};
use crate::system::words;
use crate::ui::format::{bytes, duration, number};

/// The groups, in the order of their importance, without that of the process.
pub fn groups(state: &SystemState) -> [Group; 4] {
    [queue_group(state.queue), spool_group(&state.spool), pool_group(state.pool), disk_group(state.disk.as_ref())]
}

fn spool_group(spool: &SpoolState) -> Group {
    let used = words::share(&bytes(spool.used_bytes), &bytes(spool.capacity_bytes));
    let past = [spool.replayed, spool.quarantined, spool.not_recorded];
    let remarks = spool_remarks(spool);
    if spool.records == 0 && spool.used_bytes == 0 && past == [0; 3] && remarks.is_empty() {
        let remarks = vec![Remark::new(Weight::Note, words::spool_empty(&used))];
        return Group { id: "spool-title", title: words::SPOOL, facts: vec![], remarks };
    }
    let facts = vec![
        Fact::new(words::USED, used).with(Usage::of_spool(spool)),
        Fact::count(words::RECORDS, spool.records),
        Fact::age(words::OLDEST, spool.oldest_at),
        Fact::count(words::REPLAYED, spool.replayed),
        Fact::count(words::SET_ASIDE, spool.quarantined),
        Fact::count(words::NOT_RECORDED, spool.not_recorded),
    ];
    Group { id: "spool-title", title: words::SPOOL, facts, remarks }
}

fn spool_remarks(spool: &SpoolState) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(why) = &spool.fault {
        remarks.push(Remark::new(Weight::Error, words::spool_fault(why)));
    }
    if spool.not_recorded > 0 {
        remarks.push(Remark::new(Weight::Error, words::not_recorded(spool.not_recorded)));
    }
    match Usage::of_spool(spool).level {
        Level::Calm => {}
        Level::Warning => remarks.push(Remark::new(Weight::Warning, words::SPOOL_FILLS)),
        Level::Error => remarks.push(Remark::new(Weight::Error, words::SPOOL_FULL)),
    }
    if spool.quarantined > 0 {
        remarks.push(Remark::new(Weight::Warning, words::set_aside(spool.quarantine_file.as_deref())));
    }
    remarks
}

/// `queue` is `None` while the database does not answer.
fn queue_group(queue: Option<QueueState>) -> Group {
    let (facts, remarks) = match queue {
        Some(QueueState { waiting: 0, running: 0, later: 0, .. }) => {
            (vec![], vec![Remark::new(Weight::Note, words::QUEUE_EMPTY)])
        }
        Some(queue) => (queue_facts(queue), vec![]),
        None => (vec![], vec![Remark::new(Weight::Note, words::UNKNOWN_WITHOUT_DATABASE)]),
    };
    Group { id: "queue-title", title: words::QUEUE, facts, remarks }
}

fn queue_facts(QueueState { waiting, running, later, oldest_waiting_at }: QueueState) -> Vec<Fact> {
    vec![
        Fact::count(words::WAITING_FOR_A_WORKER, waiting),
        Fact::count(words::RUNNING, running),
        Fact::age(words::OLDEST_WAITING, oldest_waiting_at),
        Fact::count(words::LATER, later),
    ]
}

fn pool_group(pool: PoolState) -> Group {
    let longest = match pool.waits {
        0 => Fact::none(words::LONGEST_WAIT),
        _ => Fact::new(words::LONGEST_WAIT, duration(pool.longest_wait_ms.try_into().unwrap_or(i64::MAX))),
    };
    let in_use = words::share(&number(pool.in_use.into()), &number(pool.max.into()));
    let facts = vec![
        Fact::new(words::IN_USE, in_use).with(Usage::of_pool(&pool)),
        Fact::new(words::IDLE, number(pool.idle.into())),
        Fact::count(words::WAITING_FOR_ONE, pool.waiting.into()),
        Fact::count(words::WAITS, pool.waits),
        longest,
    ];
    let has_waited = pool.waits > 0 || pool.waiting > 0;
    let remarks = if has_waited { vec![] } else { vec![Remark::new(Weight::Note, words::NO_WAIT)] };
    Group { id: "pool-title", title: words::POOL, facts, remarks }
}

/// What the process is, in short. What is not known just now is left out.
pub fn process_in_short(process: &ProcessState) -> String {
    let memory = (process.memory_bytes > 0).then(|| bytes(process.memory_bytes));
    let database = Some(process.database.clone()).filter(|database| !database.is_empty());
    let parts = [Some(words::version(&process.version)), database, memory];
    parts.into_iter().flatten().collect::<Vec<_>>().join(words::BETWEEN)
}

/// All facts of the process.
pub fn process_facts(process: &ProcessState) -> Vec<Fact> {
    let memory = match process.memory_bytes {
        // The operating system does not report it.
        0 => words::UNKNOWN.to_owned(),
        memory => bytes(memory),
    };
    let (database, schema) = match process.database.as_str() {
        // The database does not answer.
        "" => (words::UNKNOWN.to_owned(), words::UNKNOWN.to_owned()),
        database => (database.to_owned(), process.schema.to_string()),
    };
    vec![
        Fact::new(words::VERSION, process.version.as_str()),
        Fact::new(words::DATABASE, database),
        Fact::new(words::SCHEMA, schema),
        Fact::new(words::PROCESS_ID, process.pid.to_string()),
        Fact::age(words::STARTED, Some(process.started_at)),
        Fact::new(words::MEMORY, memory),
        Fact::new(words::OPEN_CONNECTIONS, number(process.connections)),
        Fact::new(words::EVENT_STREAMS, number(process.event_streams)),
        Fact::count(words::LOST_LOG_LINES, process.lost_log_lines),
    ]
}

/// `disk` is `None` if the operating system does not report it.
fn disk_group(disk: Option<&DiskState>) -> Group {
    let (facts, remarks) = match disk {
        Some(disk) => disk_facts(disk),
        None => (vec![], vec![Remark::new(Weight::Note, words::DISK_UNKNOWN)]),
    };
    Group { id: "disk-title", title: words::DISK, facts, remarks }
}

fn disk_facts(disk: &DiskState) -> (Vec<Fact>, Vec<Remark>) {
    let used = disk.total_bytes.saturating_sub(disk.free_bytes);
    let share = percent(disk.free_bytes, disk.total_bytes);
    let low = Remark::new(Weight::Warning, words::DISK_LOW);
    let database = match disk.database_bytes {
        // Not known while the database does not answer.
        0 => words::UNKNOWN.to_owned(),
        size => bytes(size),
    };
    let facts = vec![
        Fact::new(words::USED, words::share(&bytes(used), &bytes(disk.total_bytes))).with(Usage::of_disk(disk)),
        Fact::new(words::FREE, words::free(&bytes(disk.free_bytes), share)),
        Fact::new(words::DATABASE, database),
        Fact::new(words::DATA_FOLDER, disk.folder.as_str()),
    ];
    (facts, if disk.is_nearly_full() { vec![low] } else { vec![] })
}

#[cfg(test)]
mod tests {
    use api::TimeMs;

    use super::*;

    #[test]
    fn an_unknown_queue_has_no_figures() {
        let group = queue_group(None);
        assert_eq!(group.facts, []);
        assert!(group.remarks[0].text.contains("does not answer"));
    }

    #[test]
    fn an_empty_queue_is_a_sentence() {
        let quiet = QueueState { waiting: 0, running: 0, later: 0, oldest_waiting_at: None };
        let group = queue_group(Some(quiet));
        assert_eq!((group.facts.len(), group.remarks.len()), (0, 1));
        let one_waits = queue_group(Some(QueueState { waiting: 1, ..quiet }));
        assert_eq!(one_waits.facts[0], Fact::count("Waiting for a worker", 1));
        assert_eq!(one_waits.remarks, []);
    }

    #[test]
    fn without_a_wait_there_is_no_longest_wait() {
        let longest = |waits| pool_group(PoolState { waits, longest_wait_ms: 0, ..PoolState::default() }).facts.pop();
        assert_eq!(longest(0), Some(Fact::none("Longest wait")));
        assert_eq!(longest(1), Some(Fact::new("Longest wait", duration(0))));
    }

    #[test]
    fn unknown_facts_of_the_process_are_not_zero() {
        let process = ProcessState {
            version: "0.1.0".to_owned(),
            database: String::new(),
            schema: 0,
            pid: 7,
            started_at: TimeMs(0),
            memory_bytes: 0,
            connections: 0,
            event_streams: 0,
            lost_log_lines: 0,
        };
        assert_eq!(process_in_short(&process), "search4letters 0.1.0");
        let facts = process_facts(&process);
        for unknown in ["Database", "Schema", "Memory"] {
            assert!(facts.contains(&Fact::new(unknown, "–")), "{unknown}");
        }
        assert!(facts.contains(&Fact::new("Open connections", "0")), "this is known");
    }

    #[test]
    fn a_disk_with_little_room_has_a_remark() {
        let disk = |free_bytes| DiskState {
            folder: "data".to_owned(),
            free_bytes,
            total_bytes: 100 << 30,
            database_bytes: 3 << 20,
        };
        let roomy = disk_group(Some(&disk(40 << 30)));
        let usage = Usage::of_disk(&disk(40 << 30));
        assert_eq!(roomy.facts[0], Fact::new("Used", "60 GiB of 100 GiB").with(usage));
        assert_eq!(roomy.facts[1], Fact::new("Free", "40 GiB (40%)"));
        assert_eq!(roomy.remarks, []);
        let low = disk_group(Some(&disk(1 << 29)));
        assert!(low.remarks[0].text.starts_with("Little room is left"));
    }

    const QUIET: SpoolState = SpoolState {
        records: 0,
        used_bytes: 0,
        capacity_bytes: 64 << 20,
        oldest_at: None,
        replayed: 0,
        quarantined: 0,
        quarantine_file: None,
        not_recorded: 0,
        fault: None,
    };

    #[test]
    fn an_empty_spool_is_a_sentence() {
        let group = spool_group(&QUIET);
        assert_eq!((group.facts.len(), group.remarks.len()), (0, 1));
        assert!(group.remarks[0].text.starts_with("Empty, 0 B of 64 MiB."), "{}", group.remarks[0].text);
    }

    #[test]
    fn a_spool_that_was_used_has_its_figures() {
        let used = SpoolState { replayed: 3, ..QUIET };
        let group = spool_group(&used);
        assert_eq!(group.remarks, []);
        assert_eq!(group.facts[0], Fact::new("Used", "0 B of 64 MiB").with(Usage::of_spool(&used)));
        assert_eq!(group.facts.iter().filter(|fact| fact.is_empty).count(), 4);
    }

    #[test]
    fn each_problem_has_a_remark_with_its_weight() {
        let quarantine_file = Some("data/spool.set-aside".to_owned());
        let fault = Some("No space left on device".to_owned());
        let worst =
            SpoolState { used_bytes: 64 << 20, quarantined: 2, quarantine_file, not_recorded: 3, fault, ..QUIET };
        let remarks = spool_group(&worst).remarks;
        let weights: Vec<Weight> = remarks.iter().map(|remark| remark.weight).collect();
        assert_eq!(weights, [Weight::Error, Weight::Error, Weight::Error, Weight::Warning]);
        for (remark, part) in remarks.iter().zip(["No space left", "3 of the searches", "full", "data/spool.set-aside"])
        {
            assert!(remark.text.contains(part), "{part}: {}", remark.text);
        }
    }
}
