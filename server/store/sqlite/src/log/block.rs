//! Many rows of the log in one row of SQLite's.
//!
//! Each row that SQLite yields crosses a channel between two threads, which costs several times what reading it does.
//! So SQL puts some hundred rows together, and they are taken apart again where they are used. What stands between
//! the texts is a byte that no text holds, and so needs neither escapes nor lengths.

use api::LogSeq;
use store::{LogBlock, Result};

use crate::error::store_error;
use crate::reader::Readers;

/// The most rows of a block. More would be hardly faster, and take more memory.
const ROWS: u32 = 1024;
/// So many bytes of text make a row long. Whatever people type, a block of rows that are not is of a few MiB at most.
const LONG_BYTES: i64 = 4096;
/// The most long rows of a block.
const LONG_ROWS: u32 = 8;

pub(super) async fn log_block(readers: &Readers, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
    let (mut lines, first_long) = read(readers, after, upto, ROWS, LONG_BYTES).await?;
    if let Some(first_long) = first_long {
        cut_before(&mut lines, first_long);
        if lines.is_empty() {
            (lines, _) = read(readers, after, upto, LONG_ROWS, i64::MAX).await?;
        }
    }
    LogBlock::of_lines(lines)
}

/// Rows as a block has them, and the number of the first that is longer than this: in place of each such row stands its
/// number alone.
async fn read(
    readers: &Readers,
    after: LogSeq,
    upto: LogSeq,
    rows: u32,
    long_bytes: i64,
) -> Result<(Vec<u8>, Option<i64>)> {
    // Ordered inside: outside, what is to be put together would all be sorted once more. That SQLite keeps the order is
    // seen when the block is taken apart.
    let read = sqlx::query!(
        r#"select cast(group_concat(line, cast(x'fe' as text)) as blob) as "lines: Vec<u8>",
                  min(long) as "first_long: i64"
           from (
               select iif(octets > ?4, id, null) as long,
                      iif(octets > ?4, id,
                          concat_ws(cast(x'ff' as text), id, search_id, job_id, phrase, letters, results, ip,
                                    browser_string, user_agent, searched_at_ms, recorded_at_ms)) as line
               from (
                   select *, octet_length(phrase) + octet_length(letters) + octet_length(results) + octet_length(ip)
                             + octet_length(browser_string) + octet_length(user_agent) as octets
                   from log where id > ?1 and id <= ?2 order by id limit ?3
               )
           )"#,
        after.0,
        upto.0,
        rows,
        long_bytes
    );
    let read = read.fetch_one(&mut *readers.get().await?).await.map_err(store_error)?;
    Ok((read.lines.unwrap_or_default(), read.first_long))
}

/// Leaves the lines in front of the one that is this number.
fn cut_before(lines: &mut Vec<u8>, number: i64) {
    let number = number.to_string();
    let before = lines.split(|&byte| byte == LogBlock::ROW_END).take_while(|line| *line != number.as_bytes());
    let length: usize = before.map(|line| line.len() + 1).sum();
    lines.truncate(length.saturating_sub(1));
}
