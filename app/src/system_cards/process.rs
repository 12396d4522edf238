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
    let facts = vec![
        Fact::new("search4letters", process.version.as_str()),
        Fact::new("Database", process.database.as_str()),
        Fact::new("Schema", process.schema.to_string()),
        Fact::new("Process id", process.pid.to_string()),
        Fact::age("Started", Some(process.started_at)),
        Fact::new("Memory", memory),
        Fact::new("Open connections", number(process.connections)),
        Fact::new("Event streams", number(process.event_streams)),
    ];
    Card { id: "process-title", title: "Process", facts, remarks: vec![] }
}
