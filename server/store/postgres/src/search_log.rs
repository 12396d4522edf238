//! The log of searches: accepts a search, and writes its row together with the attempt's end.

use std::collections::HashMap;

use api::{JobState, Ledger, LogRow, LogSeq, MissingSearch, SearchId};
use async_trait::async_trait;
use futures::stream::BoxStream;
use store::codec::{corrupt, job_state};
use store::{
    Accepted, ChangedTopics, FinishedAttempt, LogBlock, LogEntry, LogQuery, NewJob, Result, SearchLog, Topic,
    log_rows_in_parts,
};

use crate::batcher::BatchWrite;
use crate::connections::Connections;
use crate::job_queue::{Add, Added, AttemptColumns, WriteContext};
use crate::log_rows::{self, LogColumns};
use crate::{PostgresStore, ledger};

/// "log" in ASCII. Only the holder of this lock appends rows.
const APPEND_LOCK: i64 = 0x6c_6f67;

#[async_trait]
impl SearchLog for PostgresStore {
    async fn accept(&self, search: SearchId, job: NewJob) -> Result<Accepted> {
        let key = job.key.clone();
        match self.adds.write(Add { job, search: Some(search) }).await? {
            Added::New(id) => Ok(Accepted::New(id)),
            Added::Queued { job, payload } => Ok(Accepted::Queued { job, payload }),
            // Rare: only if a search is sent again after its job was pruned.
            Added::Refused => match log_rows::row_of_search(&self.connections, search).await? {
                Some(row) => Ok(Accepted::Recorded(Box::new(row))),
                None => Err(corrupt("job that conflicts with none", key)),
            },
        }
    }

    async fn record(&self, entry: LogEntry, attempt: FinishedAttempt) -> Result<LogSeq> {
        self.records.write(Record { entry, attempt }).await
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
        log_rows::row_of_search(&self.connections, id).await
    }

    async fn ledger(&self) -> Result<Ledger> {
        ledger::ledger(&self.connections).await
    }

    async fn missing_searches(&self, limit: u32) -> Result<Vec<MissingSearch>> {
        ledger::missing_searches(&self.connections, limit).await
    }
}

/// A row, and the attempt that has written it.
#[derive(Debug)]
pub(crate) struct Record {
    entry: LogEntry,
    attempt: FinishedAttempt,
}

#[async_trait]
impl BatchWrite for Record {
    type Answer = LogSeq;
    type Context = WriteContext;

    async fn write(writes: &[Self], context: &WriteContext) -> Result<(Vec<LogSeq>, ChangedTopics)> {
        let finished = AttemptColumns::of(writes.iter().map(|write| &write.attempt));
        let rows = LogColumns::of(writes.iter().map(|write| &write.entry));
        let connections = context.start_batch();
        let (mut numbers, states) = insert(&rows, &finished, connections).await?;
        let mut changed = ChangedTopics::default();
        states.into_iter().for_each(|state| context.attempt_ended(state, &mut changed));
        if !numbers.is_empty() {
            changed.topic(Topic::Log);
        }
        let refused: Vec<&str> =
            rows.searches.iter().filter(|search| !numbers.contains_key(*search)).map(String::as_str).collect();
        numbers.extend(find_existing(&refused, connections).await?);
        let number = |search: &String| {
            let number = numbers.get(search).copied().map(LogSeq);
            number.ok_or_else(|| corrupt("log row that conflicts with none", search))
        };
        Ok((rows.searches.iter().map(number).collect::<Result<_>>()?, changed))
    }
}

/// Inserts the rows of searches that have none, and ends the attempts. Returns the row numbers by search, and the new
/// states of the jobs whose attempts have ended.
///
/// Row numbers grow in the order in which rows become visible: a lock is held from taking the first number until all
/// rows are visible, so a reader that follows the numbers misses no row. The statement commits by itself, so the lock
/// is held only while the server works.
async fn insert(
    rows: &LogColumns,
    finished: &AttemptColumns,
    connections: &Connections,
) -> Result<(HashMap<String, i64>, Vec<JobState>)> {
    let written = sqlx::query!(
        r#"with finished as materialized (
               select distinct on (job_id, attempt, worker) *
               from unnest((select $1::bigint[]), (select $2::integer[]), (select $3::text[]), (select $4::text[]),
                           (select $5::text[]), (select $6::bigint[]), (select $7::bigint[])) with ordinality
                    as finished (job_id, attempt, worker, outcome, error, run_at, ended_at, input_order)
               order by job_id, attempt, worker, input_order
           ),
           new as materialized (
               select * from unnest((select $8::text[]), (select $9::text[]), (select $10::text[]),
                                    (select $11::text[]), (select $12::text[]), (select $13::text[]),
                                    (select $14::boolean[]), (select $15::text[]), (select $16::bigint[]),
                                    (select $17::bigint[]), (select $18::bigint[]))
                    as new (phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                            searched_at, recorded_at)
           ),
           -- The jobs whose attempts end, and those whose searches now have a row.
           affected as materialized (
               select id, bool_or(has_row) as has_row
               from (
                   select job_id, false from finished
                   union all
                   select job.id, true from new join job on job.kind = 'log_request' and job.key = new.search_id
               ) as affected (id, has_row)
               group by id order by id
           ),
           locked_job as materialized (
               select job.*, has_row
               from affected
               cross join lateral (
                   select id, attempt, worker, state, max_attempts, cancel_requested, started_at_ms, recorded
                   from job where id = affected.id for update
               ) as job
           ),
           settled as materialized (
               select locked_job.id, locked_job.recorded or has_row as is_recorded, locked_job.started_at_ms,
                      finished.job_id, finished.attempt, finished.worker, finished.error, finished.run_at,
                      finished.ended_at,
                      case
                          -- A job that was to be cancelled does not run again, whatever its attempt's result.
                          when cancel_requested and outcome in ('failed', 'released') then 'cancelled'
                          when outcome = 'failed' and finished.attempt >= max_attempts then 'dead'
                          else outcome
                      end as final_outcome
               from locked_job
               left join finished on finished.job_id = locked_job.id and finished.attempt = locked_job.attempt
                              and finished.worker = locked_job.worker and locked_job.state = 'running'
               where finished.job_id is not null or (has_row and not recorded)
           ),
           stored_attempt as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select job_id,
                      (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = settled.job_id),
                      attempt, worker, started_at_ms, ended_at, final_outcome, error
               from settled
               where final_outcome is not null
               returning 1
           ),
           updated_job as (
               update job
               set recorded = is_recorded,
                   state = case final_outcome
                               when 'failed' then 'retrying' when 'released' then 'waiting'
                               else coalesce(final_outcome, job.state)
                           end,
                   run_at_ms = case when final_outcome in ('failed', 'released') then run_at else run_at_ms end,
                   attempt = case final_outcome when 'released' then job.attempt - 1 else job.attempt end,
                   finished_at_ms = case
                                        when final_outcome in ('failed', 'released') then null
                                        else coalesce(settled.ended_at, job.finished_at_ms)
                                    end,
                   error = coalesce(settled.error, job.error),
                   worker = case when final_outcome is null then job.worker end,
                   lease_until_ms = case when final_outcome is null then job.lease_until_ms end,
                   cancel_requested = final_outcome is null and job.cancel_requested
               from settled
               where job.id = settled.id
               returning final_outcome, job.state
           ),
           -- Taken after the job rows are locked, so that nothing waits for a job row while it holds this lock. And
           -- after all work that needs no row number, which others can do concurrently.
           append_lock as materialized (
               select pg_advisory_xact_lock($19)
               from (
                   select count(*)
                   from (
                       select from locked_job union all select from updated_job union all select from stored_attempt
                   ) as before
               ) as done
           ),
           inserted as (
               insert into log (phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                                searched_at_ms, recorded_at_ms)
               select phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                      searched_at, recorded_at
               from append_lock cross join lateral (select * from new order by search_id) as sorted
               on conflict (search_id) do nothing
               returning id, search_id
           )
           select id as "id?", search_id as "search_id?", null as "new_state?: String" from inserted
           union all
           select null, null, state from updated_job where final_outcome is not null"#,
        &finished.jobs,
        &finished.attempts,
        &finished.workers,
        &finished.outcomes as _,
        &finished.errors as _,
        &finished.run_at,
        &finished.ended_at,
        &rows.phrases,
        &rows.letters,
        &rows.ips,
        &rows.browsers,
        &rows.results,
        &rows.agents,
        &rows.escaped,
        &rows.searches,
        &rows.jobs,
        &rows.searched_at,
        &rows.recorded_at,
        APPEND_LOCK
    );
    let (mut numbers, mut states) = (HashMap::new(), Vec::new());
    for row in connections.fetch_all(written).await? {
        if let (Some(id), Some(search)) = (row.id, row.search_id) {
            numbers.insert(search, id);
        } else if let Some(state) = row.new_state {
            states.push(job_state(&state)?);
        }
    }
    Ok((numbers, states))
}

/// The rows that these searches already have.
async fn find_existing(searches: &[&str], connections: &Connections) -> Result<HashMap<String, i64>> {
    if searches.is_empty() {
        return Ok(HashMap::new());
    }
    let found = sqlx::query!(
        "select search_id, id from log join unnest((select $1::text[])) as refused (search_id) using (search_id)",
        searches as &[&str] as _
    );
    Ok(connections.fetch_all(found).await?.into_iter().map(|row| (row.search_id, row.id)).collect())
}
