//! Many rows of the log, read in one statement.

use api::LogSeq;
use store::{LogBlock, Result};

use crate::connections::{Connections, in_time};
use crate::log::StoredRow;

/// The most rows of a block.
const ROWS: i64 = 1024;
/// A block has no more bytes of text than this, but for its first row: that may be longer.
const BYTES: i64 = 1024 * 1024;

pub(super) async fn log_block(connections: &Connections, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
    let statement = sqlx::query_as!(
        StoredRow,
        r#"select id as "id!", search_id as "search_id!", job_id as "job_id!", phrase as "phrase!",
                  letters as "letters!", results as "results!", ip as "ip!", browser_string as "browser_string!",
                  user_agent as "user_agent!", escaped as "escaped!", searched_at_ms as "searched_at_ms!",
                  recorded_at_ms as "recorded_at_ms!"
           from (
               select *, row_number() over upwards as place,
                      sum(octet_length(phrase) + octet_length(letters) + octet_length(results) + octet_length(ip)
                          + octet_length(browser_string) + octet_length(user_agent)) over upwards as octets
               from (select * from log where id > $1 and id <= $2 order by id limit $3) as candidate
               window upwards as (order by id)
           ) as measured
           where octets <= $4 or place = 1
           order by id"#,
        after.0,
        upto.0,
        ROWS,
        BYTES
    );
    let mut connection = connections.get().await?;
    let rows = in_time(statement.fetch_all(&mut *connection)).await;
    let rows: Result<Vec<_>> = connection.settle(rows).await?.into_iter().map(StoredRow::into_row).collect();
    Ok(LogBlock::of_rows(&rows?))
}
