//! The comparison: both sides are read from their first row to their last.

use serde_json::Value;
use store::copy::{Cursor, Source, Table, Target};
use store::{Clock, StoreError};

use super::line::{Line, TABLES, lines_of, lines_of_metadata};
use super::report::{Compared, Report};
use super::{BATCH, CommandError, Meter, failed};

pub(super) async fn verify(
    source: &dyn Source,
    target: &dyn Target,
    counts: &[u64],
    clock: &dyn Clock,
    meter: &mut Meter,
) -> Result<Report, CommandError> {
    let mut report = Report { tables: TABLES.map(Compared::new).into() };
    let both = (source.metadata().await, target.metadata().await);
    let both = (both.0.map_err(|error| failed(source, &error))?, both.1.map_err(|error| failed(target, &error))?);
    compare(&lines_of_metadata(&both.0), &lines_of_metadata(&both.1), &mut report);
    for table in Table::ALL {
        meter.begin(format!("comparing {}", table.as_str()), 0, counts[table as usize], clock.steady());
        let (mut from, mut to, mut done) = (Reading::of(table), Reading::of(table), 0);
        loop {
            let (source_lines, target_lines) = tokio::join!(from.next(source), to.next(target));
            let source_lines = source_lines.map_err(|error| failed(source, &error))?;
            let target_lines = target_lines.map_err(|error| failed(target, &error))?;
            if source_lines.is_empty() && target_lines.is_empty() {
                break;
            }
            compare(&source_lines, &target_lines, &mut report);
            done += u64::from(BATCH);
            meter.show(done.min(counts[table as usize]), clock.steady());
        }
        meter.end(clock.steady());
    }
    Ok(report)
}

/// One side, as far as it was read.
struct Reading {
    table: Table,
    after: Cursor,
}

impl Reading {
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

/// Adds the next lines of both sides. As long as no two differ, they are of the same rows.
fn compare(source: &[Line], target: &[Line], report: &mut Report) {
    for table in &mut report.tables {
        let name = table.table;
        let mut ours = source.iter().filter(|line| line.table == name);
        let mut theirs = target.iter().filter(|line| line.table == name);
        loop {
            let pair = (ours.next(), theirs.next());
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

/// In words that hold nothing of what people have typed.
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

/// The names of the fields that are not the same.
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
        // An attempt, behind its job.
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.iter().zip(theirs).for_each(|(ours, theirs)| collect(ours, theirs, names));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, json: &str) -> Line {
        Line { table: "log", key: key.to_owned(), json: json.as_bytes().to_owned() }
    }

    fn said(ours: &[Line], theirs: &[Line]) -> Option<String> {
        let mut report = Report { tables: TABLES.map(Compared::new).into() };
        compare(ours, theirs, &mut report);
        let table = report.tables.into_iter().find(|table| table.table == "log").expect("one of them");
        assert_eq!(table.difference.is_none(), table.source.sum() == table.target.sum());
        table.difference
    }

    #[test]
    fn the_first_difference_is_named() {
        let (a, b) = (line("1", r#"{"phrase":"a","ip":"x"}"#), line("2", r#"{"phrase":"b","ip":"x"}"#));
        let changed = line("2", r#"{"phrase":"c","ip":"x"}"#);
        let (all, none) = ([a.clone(), b.clone()], []);
        assert_eq!(said(&all, &all), None);
        assert_eq!(said(&all, &[a.clone(), changed]).as_deref(), Some("row 2 differs in phrase"));
        assert_eq!(said(&all, std::slice::from_ref(&a)).as_deref(), Some("row 2 is not in the target"));
        assert_eq!(said(&none, std::slice::from_ref(&a)).as_deref(), Some("row 1 is only in the target"));
        assert_eq!(said(&all, &[b]).as_deref(), Some("the source has row 1 where the target has row 2"));
    }
}
