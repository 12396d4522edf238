//! Records as lines: the same on both sides exactly if the records are.

use serde::Serialize;
use store::copy::{Metadata, Records};

/// A row of a table, in a form that does not depend on the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) table: &'static str,
    /// Which row it is, in words for people.
    pub(super) key: String,
    /// A JSON object.
    pub(super) json: Vec<u8>,
}

/// The tables in the order in which they are shown.
pub(super) const TABLES: [&str; 8] =
    ["secret", "ledger", "job_kind", "account", "log", "job", "attempt", "missing_search"];

#[derive(Serialize)]
struct Ledger {
    accepted: i64,
    pruned: i64,
}

/// The last numbers are not among them: the target may have used higher ones.
pub(super) fn lines_of_metadata(metadata: &Metadata) -> Vec<Line> {
    let ledger = Ledger { accepted: metadata.accepted, pruned: metadata.pruned };
    let mut lines = vec![line("secret", "1", &metadata.secret), line("ledger", "1", &ledger)];
    // A kind for which nothing was decided is only a name: it comes and goes with its jobs.
    let decided = metadata.kinds.iter().filter(|kind| kind.paused || kind.limit.is_some());
    lines.extend(decided.map(|kind| line("job_kind", &kind.kind, kind)));
    lines
}

pub(super) fn lines_of(records: &Records) -> Vec<Line> {
    match records {
        Records::Accounts(records) => {
            records.iter().map(|record| line("account", &record.id.to_string(), record)).collect()
        }
        Records::Log(rows) => rows.iter().map(|row| line("log", &row.seq.0.to_string(), row)).collect(),
        Records::Jobs(records) => {
            let jobs = records.iter().map(|record| line("job", &record.id.0.to_string(), record));
            let attempts = records.iter().flat_map(|record| {
                (1..).zip(&record.attempts).map(|(ordinal, attempt)| {
                    let key = format!("{ordinal} of job {}", record.id.0);
                    line("attempt", &key, &(record.id, attempt))
                })
            });
            jobs.chain(attempts).collect()
        }
        Records::Missing(records) => {
            records.iter().map(|record| line("missing_search", &record.search_id, record)).collect()
        }
    }
}

fn line(table: &'static str, key: &str, record: &impl Serialize) -> Line {
    let mut json = serde_json::to_vec(record).expect("records have a JSON form");
    // JSON has no line ends of its own, so no two sequences of rows are the same bytes.
    json.push(b'\n');
    Line { table, key: key.to_owned(), json }
}
