//! Many log rows in one buffer, for reading the whole log.

use api::{JobId, LogRow, LogSeq, SearchId, TimeMs};
use async_trait::async_trait;

use crate::Result;
use crate::codec::{corrupt, search_id};

/// Consecutive rows, ordered by number, in the bytes that the database sent. Reading a row copies nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogBlock {
    lines: Vec<u8>,
    last: Option<LogSeq>,
}

/// A row in a [`LogBlock`]. Its fields are those of a [`LogRow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BorrowedRow<'a> {
    pub seq: LogSeq,
    pub search_id: SearchId,
    pub job_id: JobId,
    pub phrase: &'a str,
    pub letters: &'a str,
    pub results: &'a str,
    pub ip: &'a str,
    pub browser_family: &'a str,
    pub user_agent: &'a str,
    pub searched_at: TimeMs,
    pub recorded_at: TimeMs,
}

impl LogBlock {
    /// Separates the fields of a row. Neither separator occurs in UTF-8.
    pub const FIELD_END: u8 = 0xff;
    /// Separates rows.
    pub const ROW_END: u8 = 0xfe;

    /// From rows that the database has joined: their fields in the order of [`BorrowedRow`], numbers in decimal, with
    /// the two separators.
    pub fn of_lines(lines: Vec<u8>) -> Result<Self> {
        let last = lines.rsplit(|&byte| byte == Self::ROW_END).next().filter(|line| !line.is_empty());
        let last = last.map(|line| Fields { rest: line }.number(Self::FIELD_END).map(LogSeq)).transpose()?;
        Ok(Self { lines, last })
    }

    /// From rows ordered by number.
    pub fn of_rows(rows: &[LogRow]) -> Self {
        let mut lines = Vec::new();
        for row in rows {
            if !lines.is_empty() {
                lines.push(Self::ROW_END);
            }
            let numbers = [row.seq.0.to_string(), row.search_id.to_string(), row.job_id.0.to_string()];
            let texts = [&row.phrase, &row.letters, &row.results, &row.ip, &row.browser_family, &row.user_agent];
            let times = [row.searched_at.0.to_string(), row.recorded_at.0.to_string()];
            let fields = numbers.iter().chain(texts).chain(&times);
            for (index, field) in fields.enumerate() {
                if index > 0 {
                    lines.push(Self::FIELD_END);
                }
                lines.extend_from_slice(field.as_bytes());
            }
        }
        Self { last: rows.last().map(|row| row.seq), lines }
    }

    /// In bytes.
    pub fn size(&self) -> usize {
        self.lines.len()
    }

    /// The last row's number. `None` if there are no rows.
    pub fn last(&self) -> Option<LogSeq> {
        self.last
    }

    /// The rows, ordered by number. Fails at a row that no version of this program writes, or if the database did not
    /// keep the order.
    pub fn rows(&self) -> impl Iterator<Item = Result<BorrowedRow<'_>>> {
        let mut fields = Fields { rest: &self.lines };
        let mut before = None;
        std::iter::from_fn(move || {
            if fields.rest.is_empty() {
                return None;
            }
            let row = fields.row().and_then(|row| match before {
                Some(before) if before >= row.seq => Err(corrupt("log row out of its order", row.seq)),
                _ => Ok(row),
            });
            match &row {
                Ok(row) => before = Some(row.seq),
                // The end of a malformed row is unknown.
                Err(_) => fields.rest = &[],
            }
            Some(row)
        })
    }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn row(&mut self) -> Result<BorrowedRow<'a>> {
        Ok(BorrowedRow {
            seq: LogSeq(self.number(LogBlock::FIELD_END)?),
            search_id: search_id(self.text()?)?,
            job_id: JobId(self.number(LogBlock::FIELD_END)?),
            phrase: self.text()?,
            letters: self.text()?,
            results: self.text()?,
            ip: self.text()?,
            browser_family: self.text()?,
            user_agent: self.text()?,
            searched_at: TimeMs(self.number(LogBlock::FIELD_END)?),
            recorded_at: TimeMs(self.number(LogBlock::ROW_END)?),
        })
    }

    fn text(&mut self) -> Result<&'a str> {
        let field = self.field(LogBlock::FIELD_END)?;
        std::str::from_utf8(field).map_err(|_| corrupt("text in the log", String::from_utf8_lossy(field)))
    }

    fn number(&mut self, end: u8) -> Result<i64> {
        let field = self.field(end)?;
        let number = std::str::from_utf8(field).ok().and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| corrupt("number in the log", String::from_utf8_lossy(field)))
    }

    /// The bytes before `end`. The end of the block also ends a row.
    fn field(&mut self, end: u8) -> Result<&'a [u8]> {
        let at = self.rest.iter().position(|&byte| byte >= LogBlock::ROW_END).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(at);
        match rest.split_first() {
            Some((&found, rest)) if found == end => self.rest = rest,
            None if end == LogBlock::ROW_END => self.rest = &[],
            _ => return Err(corrupt("log row", String::from_utf8_lossy(field))),
        }
        Ok(field)
    }
}

impl BorrowedRow<'_> {
    pub fn to_row(&self) -> LogRow {
        LogRow {
            seq: self.seq,
            search_id: self.search_id,
            job_id: self.job_id,
            phrase: self.phrase.to_owned(),
            letters: self.letters.to_owned(),
            results: self.results.to_owned(),
            ip: self.ip.to_owned(),
            browser_family: self.browser_family.to_owned(),
            user_agent: self.user_agent.to_owned(),
            searched_at: self.searched_at,
            recorded_at: self.recorded_at,
        }
    }
}

/// A destination for log rows, for instance a file.
#[async_trait]
pub trait LogSink: Send {
    /// Expects rows ordered by number.
    async fn put(&mut self, rows: &[LogRow]) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64, phrase: &str) -> LogRow {
        LogRow {
            seq: LogSeq(number),
            search_id: SearchId(7),
            job_id: JobId(-number),
            phrase: phrase.to_owned(),
            letters: String::new(),
            results: "set()".to_owned(),
            ip: String::new(),
            browser_family: "é\0🦀".to_owned(),
            user_agent: "\u{fffd}\u{fe}\u{ff}".to_owned(),
            searched_at: TimeMs(i64::MIN),
            recorded_at: TimeMs(i64::MAX),
        }
    }

    #[test]
    fn rows_are_read_exactly_as_written() {
        for phrases in [&[][..], &[""], &["a", "", "\0"], &["\n", "\u{10ffff}"]] {
            let rows: Vec<LogRow> = phrases.iter().zip(1..).map(|(phrase, number)| row(number, phrase)).collect();
            let block = LogBlock::of_rows(&rows);
            let read: Result<Vec<LogRow>> = block.rows().map(|row| Ok(row?.to_row())).collect();
            assert_eq!(read, Ok(rows.clone()));
            assert_eq!(block.last(), rows.last().map(|row| row.seq));
        }
    }

    #[test]
    fn a_malformed_row_is_an_error_and_ends_the_rows() {
        let whole = LogBlock::of_rows(&[row(1, "x")]).lines;
        let broken = [
            b"1".to_vec(),
            [b"x", &whole[1..]].concat(),
            whole[..whole.len() - 20].to_vec(),
            [&whole[..], b"\xff1"].concat(),
            [&whole[..2], b"\xc3", &whole[2..]].concat(),
            whole.iter().map(|&byte| if byte == b'x' { 0xc3 } else { byte }).collect(),
            [&whole[..], b"\xfe", &whole].concat(),
        ];
        for lines in broken {
            let block = LogBlock { lines: lines.clone(), last: None };
            let rows: Vec<_> = block.rows().collect();
            let good = rows.iter().take_while(|row| row.is_ok()).count();
            assert_eq!(rows.len(), good + 1, "{lines:?}");
        }
    }
}
