//! What the comparison has found, as a table for people.

use std::fmt;

use sha2::{Digest, Sha256};

/// All tables, compared.
#[derive(Debug)]
pub struct Report {
    pub tables: Vec<Compared>,
}

/// One table on both sides.
#[derive(Debug)]
pub struct Compared {
    pub table: &'static str,
    pub(super) source: Side,
    pub(super) target: Side,
    /// Where they part first.
    pub difference: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Side {
    rows: u64,
    hash: Sha256,
}

impl Side {
    /// Over the lines of all its rows.
    pub(super) fn sum(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.hash.update(line);
    }
}

impl Compared {
    pub(super) fn new(table: &'static str) -> Self {
        Self { table, source: Side::default(), target: Side::default(), difference: None }
    }

    pub(super) fn add(&mut self, source: Option<&[u8]>, target: Option<&[u8]>) {
        source.into_iter().for_each(|line| self.source.add(line));
        target.into_iter().for_each(|line| self.target.add(line));
    }

    fn is_same(&self) -> bool {
        self.difference.is_none() && self.source.rows == self.target.rows && self.source.sum() == self.target.sum()
    }
}

impl Report {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(Compared::is_same)
    }

    /// Where the two sides part: the first table of which that is so, and its first row.
    #[must_use]
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
                writeln!(f, "{:<14}  {:>6}  {:>12}  {}", table.table, "both", table.source.rows, table.source.sum())?;
            } else {
                for (name, side) in [("source", &table.source), ("target", &table.target)] {
                    writeln!(f, "{:<14}  {:>6}  {:>12}  {}", table.table, name, side.rows, side.sum())?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
