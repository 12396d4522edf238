//! The comparison at the end of a copy: both sides are read from their first row to their last.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::copy::{Cursor, Metadata, Records, Source, Table, Target};
use store::{Clock, StoreError};

use super::{BATCH, failed};
use crate::cli::ProgressBar;

pub(super) async fn verify(
    source: &dyn Source,
    target: &dyn Target,
    counts: &[u64],
    clock: &dyn Clock,
    bar: &mut ProgressBar,
) -> anyhow::Result<Report> {
    let mut report = Report { tables: TABLES.map(ComparedTable::new).into() };
    let source_metadata = source.metadata().await.map_err(|error| failed(source, &error))?;
    let target_metadata = target.metadata().await.map_err(|error| failed(target, &error))?;
    compare(&lines_of_metadata(&source_metadata), &lines_of_metadata(&target_metadata), &mut report);
    for table in Table::ALL {
        bar.begin(format!("comparing {}", table.as_str()), 0, counts[table as usize], clock.steady());
        let (mut from, mut to, mut done) = (TableReader::of(table), TableReader::of(table), 0);
        loop {
            let (source_lines, target_lines) = tokio::join!(from.next(source), to.next(target));
            let source_lines = source_lines.map_err(|error| failed(source, &error))?;
            let target_lines = target_lines.map_err(|error| failed(target, &error))?;
            if source_lines.is_empty() && target_lines.is_empty() {
                break;
            }
            compare(&source_lines, &target_lines, &mut report);
            done += u64::from(BATCH);
            bar.show(done.min(counts[table as usize]), clock.steady());
        }
        bar.end(clock.steady());
    }
    Ok(report)
}

/// Reads one side of a table in batches.
struct TableReader {
    table: Table,
    after: Cursor,
}

impl TableReader {
    fn of(table: Table) -> Self {
        Self { table, after: Cursor::default() }
    }

    async fn next(&mut self, side: &(impl Source + ?Sized)) -> Result<Vec<Line>, StoreError> {
        let batch = side.read(self.table, &self.after, BATCH).await?;
        if let Some(end) = batch.end() {
            self.after = end;
        }
        Ok(lines_of(&batch))
    }
}

/// Adds the next lines of both sides. Up to the first difference they belong to the same rows.
fn compare(source: &[Line], target: &[Line], report: &mut Report) {
    for table in &mut report.tables {
        let name = table.table;
        let mut source = source.iter().filter(|line| line.table == name);
        let mut target = target.iter().filter(|line| line.table == name);
        loop {
            let pair = (source.next(), target.next());
            if let (None, None) = pair {
                break;
            }
            if table.difference.is_none() {
                table.difference = difference(pair);
            }
            table.add(pair.0.map(|line| &line.json[..]), pair.1.map(|line| &line.json[..]));
        }
    }
}

/// Does not reveal what people have typed.
fn difference(pair: (Option<&Line>, Option<&Line>)) -> Option<String> {
    match pair {
        (Some(ours), Some(theirs)) if ours == theirs => None,
        (Some(ours), Some(theirs)) if ours.key == theirs.key => {
            Some(format!("row {} differs in {}", ours.key, fields(&ours.json, &theirs.json)))
        }
        (Some(ours), Some(theirs)) => {
            Some(format!("the source has row {} where the target has row {}", ours.key, theirs.key))
        }
        (Some(ours), None) => Some(format!("row {} is not in the target", ours.key)),
        (None, Some(theirs)) => Some(format!("row {} is only in the target", theirs.key)),
        (None, None) => None,
    }
}

/// The names of the fields that differ.
fn fields(ours: &[u8], theirs: &[u8]) -> String {
    let parse = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap_or_default();
    let mut names = Vec::new();
    collect(&parse(ours), &parse(theirs), &mut names);
    if names.is_empty() { "its value".to_owned() } else { names.join(", ") }
}

fn collect(ours: &Value, theirs: &Value, names: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let differing = ours.iter().filter(|(name, value)| theirs.get(*name) != Some(*value));
            names.extend(differing.map(|(name, _)| name.clone()));
        }
        // A job with an attempt.
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.iter().zip(theirs).for_each(|(ours, theirs)| collect(ours, theirs, names));
        }
        _ => {}
    }
}

/// The result of the comparison, printed as a table.
#[derive(Debug)]
pub struct Report {
    pub tables: Vec<ComparedTable>,
}

/// One table on both sides.
#[derive(Debug)]
pub struct ComparedTable {
    pub table: &'static str,
    pub(super) source: Side,
    pub(super) target: Side,
    /// The first row that differs.
    pub difference: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Side {
    rows: u64,
    hash: Sha256,
}

impl Side {
    /// The checksum of all its rows.
    pub(super) fn checksum(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash.update(line);
    }
}

impl ComparedTable {
    pub(super) fn new(table: &'static str) -> Self {
        Self { table, source: Side::default(), target: Side::default(), difference: None }
    }

    pub(super) fn add(&mut self, source: Option<&[u8]>, target: Option<&[u8]>) {
        source.into_iter().for_each(|line| self.source.add(line));
        target.into_iter().for_each(|line| self.target.add(line));
    }

    fn is_same(&self) -> bool {
        self.difference.is_none()
            && self.source.rows == self.target.rows
            && self.source.checksum() == self.target.checksum()
    }
}

impl Report {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(ComparedTable::is_same)
    }

    /// The first table that differs, and its first differing row.
    pub fn difference(&self) -> Option<String> {
        let table = self.tables.iter().find(|table| !table.is_same())?;
        let row = table.difference.as_deref().unwrap_or("the checksums differ");
        Some(format!("table {} was not copied as it was: {row}", table.table))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14}  {:>6}  {:>12}  SHA-256 of the rows", "table", "side", "rows")?;
        for table in &self.tables {
            if table.is_same() {
                writeln!(
                    f,
                    "{:<14}  {:>6}  {:>12}  {}",
                    table.table,
                    "both",
                    table.source.rows,
                    table.source.checksum()
                )?;
            } else {
                for (name, side) in [("source", &table.source), ("target", &table.target)] {
                    writeln!(f, "{:<14}  {:>6}  {:>12}  {}", table.table, name, side.rows, side.checksum())?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A row of a table as JSON. Two lines are equal exactly if their rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) table: &'static str,
    /// Identifies the row in messages.
    pub(super) key: String,
    /// A JSON object.
    pub(super) json: Vec<u8>,
}

/// In the order of the report.
pub(super) const TABLES: [&str; 9] =
    ["secret", "ledger", "job_kind", "account", "audit", "log", "job", "attempt", "missing_search"];

#[derive(Serialize)]
struct Ledger {
    accepted: i64,
    pruned: i64,
}

/// Omits the last numbers: the target may have used higher ones.
pub(super) fn lines_of_metadata(metadata: &Metadata) -> Vec<Line> {
    let ledger = Ledger { accepted: metadata.accepted, pruned: metadata.pruned };
    let mut lines = vec![line("secret", "1", &metadata.secret), line("ledger", "1", &ledger)];
    // A kind without settings exists only as long as its jobs.
    let with_settings = metadata.kinds.iter().filter(|kind| kind.paused || kind.limit.is_some());
    lines.extend(with_settings.map(|kind| line("job_kind", &kind.kind, kind)));
    lines
}

pub(super) fn lines_of(records: &Records) -> Vec<Line> {
    match records {
        Records::Accounts(records) => {
            records.iter().map(|record| line("account", &record.id.to_string(), record)).collect()
        }
        Records::Audit(entries) => entries.iter().map(|entry| line("audit", &entry.id.0.to_string(), entry)).collect(),
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
    // Compact JSON has no line breaks, so different sequences of rows are different bytes.
    json.push(b'\n');
    Line { table, key: key.to_owned(), json }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, json: &str) -> Line {
        Line { table: "log", key: key.to_owned(), json: json.as_bytes().to_owned() }
    }

    fn first_difference(ours: &[Line], theirs: &[Line]) -> Option<String> {
        let mut report = Report { tables: TABLES.map(ComparedTable::new).into() };
        compare(ours, theirs, &mut report);
        let table = report.tables.into_iter().find(|table| table.table == "log").expect("it is one of the tables");
        assert_eq!(table.difference.is_none(), table.source.checksum() == table.target.checksum());
        table.difference
    }

    #[test]
    fn the_first_difference_is_named() {
        let (a, b) = (line("1", r#"{"phrase":"a","ip":"x"}"#), line("2", r#"{"phrase":"b","ip":"x"}"#));
        let changed = line("2", r#"{"phrase":"c","ip":"x"}"#);
        let (all, none) = ([a.clone(), b.clone()], []);
        assert_eq!(first_difference(&all, &all), None);
        assert_eq!(first_difference(&all, &[a.clone(), changed]).as_deref(), Some("row 2 differs in phrase"));
        assert_eq!(first_difference(&all, std::slice::from_ref(&a)).as_deref(), Some("row 2 is not in the target"));
        assert_eq!(first_difference(&none, std::slice::from_ref(&a)).as_deref(), Some("row 1 is only in the target"));
        assert_eq!(first_difference(&all, &[b]).as_deref(), Some("the source has row 1 where the target has row 2"));
    }
}
