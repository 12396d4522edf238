//! The log of searches: accepts a search, and writes its row together with the attempt's end.

use std::collections::HashMap;

use api::{Ledger, LogRow, LogSeq, MissingSearch, SearchId};
use async_trait::async_trait;
use futures::stream::BoxStream;
use store::codec::corrupt;
use store::{
    Accepted, FinishedAttempt, LogBlock, LogEntry, LogQuery, NewJob, Result, SearchLog, Topic, log_rows_in_parts,
};

use crate::SqliteStore;
use crate::bulk::{Inserted, Texts, json_rows};
use crate::job_queue::{Add, Added, end_first_attempts, end_held};
use crate::ledger::{self, forget_reopened, note_reopened};
use crate::log_rows;
use crate::transaction::{Numbered, Transaction};
use crate::writer::WriteMany;

#[async_trait]
impl SearchLog for SqliteStore {
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted> {
        match self.writer.write_grouped(Add { job, search: Some(search) }).await? {
            Added::New(id) => Ok(Accepted::New(id)),
            Added::Queued { job, payload } => Ok(Accepted::Queued { job, payload }),
            Added::Recorded(row) => Ok(Accepted::Recorded(row)),
        }
    }

    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq> {
        let numbers = self.record_all(vec![(entry, attempt)]).await?;
        Ok(numbers[0])
    }

    async fn record_all(&self, records: Vec<(LogEntry, FinishedAttempt)>) -> Result<Vec<LogSeq>> {
        let records = records.into_iter().map(|(entry, attempt)| Record { entry, attempt });
        self.writer.write_grouped(Records(records.collect())).await
    }

    fn log_rows(&self, query: LogQuery) -> BoxStream<'static, Result<LogRow>> {
        log_rows_in_parts(self.connections.clone(), query)
    }

    async fn log_block(&self, after: LogSeq, upto: LogSeq) -> Result<LogBlock> {
        log_rows::log_block(&self.connections, after, upto).await
    }

    async fn last_log_seq(&self) -> Result<LogSeq> {
        log_rows::last_seq(&self.connections).await
    }

    async fn log_row_of_search(&self, id: SearchId) -> Result<Option<LogRow>> {
        log_rows::row_of_search(&mut *self.connections.get().await?, id).await
    }

    async fn ledger(&self) -> Result<Ledger> {
        ledger::ledger(&self.connections).await
    }

    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>> {
        ledger::missing_searches(&self.connections, limit).await
    }
}

/// Rows that one worker writes together.
pub(crate) struct Records(Vec<Record>);

/// A row, and the attempt that has written it.
struct Record {
    entry: LogEntry,
    attempt: FinishedAttempt,
}

#[async_trait]
impl WriteMany for Records {
    type Answer = Vec<LogSeq>;

    async fn apply_all(writes: &[Self], tx: &mut Transaction<'_>) -> Result<Vec<Vec<LogSeq>>> {
        let records: Vec<&Record> = writes.iter().flat_map(|write| &write.0).collect();
        let mut numbers = record(&records, tx).await?.into_iter();
        Ok(writes.iter().map(|write| numbers.by_ref().take(write.0.len()).collect()).collect())
    }
}

/// Writes the rows of searches that have none, and ends the attempts. Returns the rows' numbers.
async fn record(records: &[&Record], tx: &mut Transaction<'_>) -> Result<Vec<LogSeq>> {
    let first = tx.next_number(Numbered::Log).await?;
    let (inserted, new) = insert(records, first, tx).await?;
    if new > 0 {
        tx.changes.topic(Topic::Log);
    }
    let candidates: Vec<(i64, &Record)> = (first..).zip(records.iter().copied()).collect();
    let refused = candidates.iter().filter(|(seq, _)| !inserted.contains(*seq));
    let existing = find_existing(refused, tx).await?;
    tx.changes.ledger.recorded += new;
    end_attempts(&candidates, &inserted, tx).await?;
    let answers = candidates.iter().map(|(seq, Record { entry, .. })| {
        let seq = if inserted.contains(*seq) { Some(seq) } else { existing.get(seq) };
        seq.copied().map(LogSeq).ok_or_else(|| corrupt("log row that conflicts with none", entry.search.id))
    });
    answers.collect()
}

/// Ends the attempts. Keeps the list of the searches that have a row although their job is not done.
async fn end_attempts(candidates: &[(i64, &Record)], inserted: &Inserted, tx: &mut Transaction<'_>) -> Result<()> {
    let attempts: Vec<&FinishedAttempt> = candidates.iter().map(|(_, record)| &record.attempt).collect();
    let has_ended = match end_first_attempts(&attempts, tx).await? {
        true => vec![true; attempts.len()],
        false => end_held(&attempts, tx).await?,
    };
    let is_new = |search| candidates.iter().any(|(seq, new)| inserted.contains(*seq) && new.entry.search.id == search);
    let (mut left_open, mut done_again) = (Vec::new(), Vec::new());
    for ((seq, Record { entry, attempt }), has_ended) in candidates.iter().zip(has_ended) {
        match (inserted.contains(*seq), has_ended) {
            (true, true) | (false, false) => {}
            (true, false) => left_open.push(entry.search.id),
            // The job was retried although its row existed.
            (false, true) if !is_new(entry.search.id) => done_again.push(attempt.job),
            (false, true) => {}
        }
    }
    forget_reopened(&done_again, tx).await?;
    note_reopened(&left_open, tx).await
}

/// Inserts the rows of searches that have none, numbered from `first` on. Returns which were inserted, and how many.
async fn insert(records: &[&Record], first: i64, tx: &mut Transaction<'_>) -> Result<(Inserted, i64)> {
    let mut texts = Texts::default();
    let rows: Vec<_> = records
        .iter()
        .map(|Record { entry, .. }| {
            let (phrase_start, phrase_length) = texts.add(&entry.search.phrase);
            let (letters_start, letters_length) = texts.add(&entry.search.letters);
            let (ip_start, ip_length) = texts.add(&entry.search.ip);
            let (browser_start, browser_length) = texts.add(&entry.search.browser_family);
            let (results_start, results_length) = texts.add(&entry.search.results);
            let (agent_start, agent_length) = texts.add(&entry.search.user_agent);
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
                entry.search.id,
                entry.job_id,
                entry.search.searched_at,
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
    );
    let new = tx.execute(inserted).await? as i64;
    if new == records.len() as i64 {
        return Ok((Inserted::All, new));
    }
    let numbers = tx.fetch_all(sqlx::query_scalar!("select id from log where id >= ?1", first)).await?;
    Ok((Inserted::Some(numbers.into_iter().collect()), new))
}

/// The existing rows of the searches of `refused`, by the number that the new row would have got.
async fn find_existing<'a>(
    refused: impl Iterator<Item = &'a (i64, &'a Record)> + Send,
    tx: &mut Transaction<'_>,
) -> Result<HashMap<i64, i64>> {
    let rows: Vec<_> = refused.map(|(seq, Record { entry, .. })| (*seq, entry.search.id)).collect();
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
    );
    Ok(tx.fetch_all(found).await?.into_iter().map(|row| (row.refused, row.id)).collect())
}
