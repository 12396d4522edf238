//! The server's process: what it is, since when, and what it uses.

use api::ProcessState;

use super::{Card, Fact};
use crate::wording::{bytes, number};

pub(super) fn card(process: &ProcessState) -> Card {
    let memory = match process.memory_bytes {
        // The operating system does not say.
        0 => "–".to_owned(),
        memory => bytes(memory),
    };
    let (database, schema) = match process.database.as_str() {
        // It does not answer.
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
    ];
    Card { id: "process-title", title: "Process", facts, remarks: vec![] }
}

#[cfg(test)]
mod tests {
    use api::TimeMs;

    use super::*;

    #[test]
    fn what_is_not_known_is_no_zero() {
        let process = ProcessState {
            version: "0.1.0".to_owned(),
            database: String::new(),
            schema: 0,
            pid: 7,
            started_at: TimeMs(0),
            memory_bytes: 0,
            connections: 0,
            event_streams: 0,
        };
        let facts = card(&process).facts;
        for unknown in ["Database", "Schema", "Memory"] {
            assert!(facts.contains(&Fact::new(unknown, "–")), "{unknown}");
        }
        assert!(facts.contains(&Fact::new("Open connections", "0")), "that is known");
    }
}
