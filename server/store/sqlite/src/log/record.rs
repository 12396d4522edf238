//! New log rows, a batch of them in one statement.

use std::collections::HashMap;

use api::LogSeq;
use async_trait::async_trait;
use store::codec::corrupt;
use store::{FinishedAttempt, LogEntry, Result, Topic};

use crate::error::store_error;
use crate::inserted::Inserted;
use crate::queue::{count_open, end_held};
use crate::texts::{Texts, json_rows};
use crate::writer::{Asked, Command, GroupedWrite, Numbered, WriteTx};

/// A row, and the attempt that has written it.
pub(crate) struct Record {
    pub(crate) entry: LogEntry,
    pub(crate) attempt: FinishedAttempt,
}

#[async_trait]
impl GroupedWrite for Record {
    type Answer = LogSeq;

    fn command(asked: Asked<Self>) -> Command {
        Command::Record(asked)
    }

    async fn run_all(writes: &[Self], tx: &mut WriteTx<'_>) -> Result<Vec<LogSeq>> {
        let first = tx.next_number(Numbered::Log).await?;
        let (inserted, new) = insert(writes, first, tx).await?;
        if new > 0 {
            tx.changes.touched(Topic::Log);
        }
        let candidates: Vec<(i64, &Self)> = (first..).zip(writes).collect();
        let refused = candidates.iter().filter(|(seq, _)| !inserted.contains(*seq));
        let present = find_present(refused, tx).await?;
        tx.changes.ledger.recorded += new;
        count(&candidates, &inserted, tx).await?;
        let answers = candidates.iter().map(|(seq, Self { entry, .. })| {
            let seq = if inserted.contains(*seq) { Some(seq) } else { present.get(seq) };
            seq.copied().map(LogSeq).ok_or_else(|| corrupt("log row that conflicts with none", entry.search_id))
        });
        answers.collect()
    }
}

/// Ends the attempts, and keeps the ledger: which searches have a row now, and whether a job is
/// still to run for them all the same.
async fn count(candidates: &[(i64, &Record)], inserted: &Inserted, tx: &mut WriteTx<'_>) -> Result<()> {
    let attempts: Vec<&FinishedAttempt> = candidates.iter().map(|(_, record)| &record.attempt).collect();
    let has_ended = end_held(&attempts, tx).await?;
    let is_new = |search| candidates.iter().any(|(seq, new)| inserted.contains(*seq) && new.entry.search_id == search);
    let mut left_open = Vec::new();
    for ((seq, Record { entry, .. }), has_ended) in candidates.iter().zip(has_ended) {
        match (inserted.contains(*seq), has_ended) {
            (true, true) | (false, false) => {}
            (true, false) => left_open.push(entry.search_id),
            // It was retried although its row was there.
            (false, true) if !is_new(entry.search_id) => tx.changes.ledger.reopened -= 1,
            (false, true) => {}
        }
    }
    if !left_open.is_empty() {
        tx.changes.ledger.reopened += count_open(&left_open, tx).await?;
    }
    Ok(())
}

/// Inserts the rows of searches that have none, numbered from `first` on. Returns which, and how many.
async fn insert(writes: &[Record], first: i64, tx: &mut WriteTx<'_>) -> Result<(Inserted, i64)> {
    let mut texts = Texts::default();
    let rows: Vec<_> = writes
        .iter()
        .map(|Record { entry, .. }| {
            let (phrase_start, phrase_length) = texts.add(&entry.phrase);
            let (letters_start, letters_length) = texts.add(&entry.letters);
            let (ip_start, ip_length) = texts.add(&entry.ip);
            let (browser_start, browser_length) = texts.add(&entry.browser_string);
            let (results_start, results_length) = texts.add(&entry.results);
            let (agent_start, agent_length) = texts.add(&entry.user_agent);
            (
                phrase_start,
                phrase_length,
                letters_start,
                letters_length,
                ip_start,
                ip_length,
                browser_start,
                browser_length,
                results_start,
                results_length,
                agent_start,
                agent_length,
                entry.search_id,
                entry.job_id,
                entry.searched_at,
                entry.recorded_at,
            )
        })
        .collect();
    let (rows, texts) = (json_rows(&rows), texts.into_blob());
    // "Or fail" as for new jobs.
    let inserted = sqlx::query!(
        "insert or fail into log (id, phrase, letters, ip, browser_string, results, user_agent,
                            search_id, job_id, searched_at_ms, recorded_at_ms)
           select ?1 + new.key,
                  cast(substr(?3, new.value ->> 0, new.value ->> 1) as text),
                  cast(substr(?3, new.value ->> 2, new.value ->> 3) as text),
                  cast(substr(?3, new.value ->> 4, new.value ->> 5) as text),
                  cast(substr(?3, new.value ->> 6, new.value ->> 7) as text),
                  cast(substr(?3, new.value ->> 8, new.value ->> 9) as text),
                  cast(substr(?3, new.value ->> 10, new.value ->> 11) as text),
                  new.value ->> 12, new.value ->> 13, new.value ->> 14, new.value ->> 15
           from jsonb_each(?2) as new
           where true
           on conflict (search_id) do nothing",
        first,
        rows,
        texts
    )
    .execute(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    let new = inserted.rows_affected() as i64;
    if new == writes.len() as i64 {
        return Ok((Inserted::All, new));
    }
    let numbers = sqlx::query_scalar!("select id from log where id >= ?1", first)
        .fetch_all(&mut *tx.connection)
        .await
        .map_err(store_error)?;
    Ok((Inserted::Some(numbers.into_iter().collect()), new))
}

/// The rows that `refused` have already, by the number that was meant for the new one.
async fn find_present<'a>(
    refused: impl Iterator<Item = &'a (i64, &'a Record)> + Send,
    tx: &mut WriteTx<'_>,
) -> Result<HashMap<i64, i64>> {
    let rows: Vec<_> = refused.map(|(seq, Record { entry, .. })| (*seq, entry.search_id)).collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = json_rows(&rows);
    let found = sqlx::query!(
        r#"select cast(refused.value ->> 0 as integer) as "refused!: i64", log.id as "id!: i64"
           from jsonb_each(?1) as refused
           cross join log
           where log.search_id = refused.value ->> 1"#,
        rows
    )
    .fetch_all(&mut *tx.connection)
    .await
    .map_err(store_error)?;
    Ok(found.into_iter().map(|row| (row.refused, row.id)).collect())
}
