//! What the groups of the page say. Pure, so that it can be tested without a page.

use api::{DiskState, PoolState, ProcessState, QueueState, SpoolState, SystemState};

use crate::system::groups::{Fact, Group, Remark, Weight};
use crate::system::usage::{Level, Usage, percent};
use crate::ui::format::{bytes, duration, number};

/// The groups in their order, in two columns of about the same height.
pub fn columns(state: &SystemState) -> [Vec<Group>; 2] {
    [
        vec![queue_group(state.queue), spool_group(&state.spool), disk_group(state.disk.as_ref())],
        vec![pool_group(state.pool), process_group(&state.process)],
    ]
}

fn spool_group(spool: &SpoolState) -> Group {
    let used = format!("{} of {}", bytes(spool.used_bytes), bytes(spool.capacity_bytes));
    let facts = vec![
        Fact::new("Used", used).with(Usage::of_spool(spool)),
        Fact::new("Records", number(spool.records)),
        Fact::age("Oldest", spool.oldest_at),
        Fact::new("Replayed since the start", number(spool.replayed)),
        Fact::new("Set aside", number(spool.quarantined)),
        Fact::new("Not recorded", number(spool.not_recorded)),
    ];
    Group { id: "spool-title", title: "Spool", facts, remarks: spool_remarks(spool) }
}

fn spool_remarks(spool: &SpoolState) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(why) = &spool.fault {
        remarks.push(Remark::new(Weight::Error, format!("The spool cannot be written to: {why}")));
    }
    if spool.not_recorded > 0 {
        let text = "of the searches since the start could be written nowhere. Their results were shown all the same.";
        remarks.push(Remark::new(Weight::Error, format!("{} {text}", number(spool.not_recorded))));
    }
    match Usage::of_spool(spool).level {
        Level::Calm => {}
        Level::Warning => {
            let text = "The spool fills up: see that the database answers again before it is full.";
            remarks.push(Remark::new(Weight::Warning, text));
        }
        Level::Error => {
            let text = "The spool is full, or nearly: what does not fit is answered but not recorded.";
            remarks.push(Remark::new(Weight::Error, text));
        }
    }
    if spool.quarantined > 0 {
        let file = spool.quarantine_file.as_deref().unwrap_or("a file beside the spool");
        let text = format!("What could not be used was set aside in {file}: look into it, then move it away.");
        remarks.push(Remark::new(Weight::Warning, text));
    }
    remarks
}

/// `queue` is `None` while the database does not answer.
fn queue_group(queue: Option<QueueState>) -> Group {
    let (facts, remarks) = match queue {
        Some(queue) => (queue_facts(queue), vec![]),
        None => (vec![], vec![Remark::new(Weight::Note, "Not known while the database does not answer.")]),
    };
    Group { id: "queue-title", title: "Queue", facts, remarks }
}

fn queue_facts(QueueState { waiting, running, later, oldest_waiting_at }: QueueState) -> Vec<Fact> {
    vec![
        Fact::new("Waiting for a worker", number(waiting)),
        Fact::age("Oldest of these", oldest_waiting_at),
        Fact::new("Running", number(running)),
        Fact::new("Waiting for their time", number(later)),
    ]
}

fn pool_group(pool: PoolState) -> Group {
    let longest = match pool.waits {
        0 => "–".to_owned(),
        _ => duration(pool.longest_wait_ms.try_into().unwrap_or(i64::MAX)),
    };
    let facts = vec![
        Fact::new("In use", format!("{} of {}", pool.in_use, pool.max)).with(Usage::of_pool(&pool)),
        Fact::new("Idle", number(pool.idle.into())),
        Fact::new("Waiting for one", number(pool.waiting.into())),
        Fact::new("Waits since the start", number(pool.waits)),
        Fact::new("Longest wait", longest),
    ];
    Group { id: "pool-title", title: "Database connections", facts, remarks: vec![] }
}

fn process_group(process: &ProcessState) -> Group {
    let memory = match process.memory_bytes {
        // The operating system does not report it.
        0 => "–".to_owned(),
        memory => bytes(memory),
    };
    let (database, schema) = match process.database.as_str() {
        // The database does not answer.
        "" => ("–".to_owned(), "–".to_owned()),
        database => (database.to_owned(), process.schema.to_string()),
    };
    let facts = vec![
        Fact::new("search4letters", process.version.as_str()),
        Fact::new("Database", database),
        Fact::new("Schema", schema),
        Fact::new("Process id", process.pid.to_string()),
        Fact::age("Started", Some(process.started_at)),
        Fact::new("Memory", memory),
        Fact::new("Open connections", number(process.connections)),
        Fact::new("Event streams", number(process.event_streams)),
        Fact::new("Log lines lost", number(process.lost_log_lines)),
    ];
    Group { id: "process-title", title: "Process", facts, remarks: vec![] }
}

/// `disk` is `None` if the operating system does not report it.
fn disk_group(disk: Option<&DiskState>) -> Group {
    let (facts, remarks) = match disk {
        Some(disk) => disk_facts(disk),
        None => (vec![], vec![Remark::new(Weight::Note, "The operating system does not say how much room is left.")]),
    };
    Group { id: "disk-title", title: "Disk", facts, remarks }
}

fn disk_facts(disk: &DiskState) -> (Vec<Fact>, Vec<Remark>) {
    let usage = Usage::of_disk(disk);
    let used = disk.total_bytes.saturating_sub(disk.free_bytes);
    let share = percent(disk.free_bytes, disk.total_bytes);
    let low = Remark::new(Weight::Warning, "Little room is left: free some, or move the data folder to a larger disk.");
    let facts = vec![
        Fact::new("Used", format!("{} of {}", bytes(used), bytes(disk.total_bytes))).with(usage),
        Fact::new("Free", format!("{} ({share} %)", bytes(disk.free_bytes))),
        // Not known while the database does not answer.
        Fact::new("Database", if disk.database_bytes == 0 { "–".to_owned() } else { bytes(disk.database_bytes) }),
        Fact::new("Data folder", disk.folder.as_str()),
    ];
    (facts, if usage.level == Level::Calm { vec![] } else { vec![low] })
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
    fn without_a_wait_there_is_no_longest_wait() {
        let longest = |waits| pool_group(PoolState { waits, longest_wait_ms: 0, ..PoolState::default() }).facts.pop();
        assert_eq!(longest(0), Some(Fact::new("Longest wait", "–")));
        assert_eq!(longest(1), Some(Fact::new("Longest wait", "0 ms")));
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
        let facts = process_group(&process).facts;
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
        assert_eq!(roomy.facts[1], Fact::new("Free", "40 GiB (40 %)"));
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
    fn an_empty_spool_needs_no_remark() {
        let group = spool_group(&QUIET);
        assert_eq!(group.remarks, []);
        assert_eq!(group.facts[0], Fact::new("Used", "0 B of 64 MiB").with(Usage::of_spool(&QUIET)));
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
