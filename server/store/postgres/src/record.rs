//! Writes rows of the log together with the ends of the attempts that have written them.

use std::collections::HashMap;

use api::{JobState, LogSeq};
use async_trait::async_trait;
use store::codec::{corrupt, job_state};
use store::{AttemptResult, ChangedTopics, FinishedAttempt, LogEntry, Result, Topic};

use crate::batcher::BatchWrite;
use crate::connections::Connections;
use crate::job_queue::{AttemptColumns, WriteContext};
use crate::log_rows::LogColumns;

/// "log" in ASCII. Only the holder of this lock appends rows.
const APPEND_LOCK: i64 = 0x6c_6f67;

/// A row, and the attempt that has written it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: LogEntry,
    pub(crate) attempt: FinishedAttempt,
}

#[async_trait]
impl BatchWrite for Record {
    type Answer = LogSeq;
    type Context = WriteContext;

    async fn write(writes: &[Self], context: &WriteContext) -> Result<(Vec<LogSeq>, ChangedTopics)> {
        let finished = AttemptColumns::of(writes.iter().map(|write| &write.attempt));
        let rows = LogColumns::of(writes.iter().map(|write| &write.entry));
        let connections = context.start_batch();
        let are_done = writes.iter().all(|write| write.attempt.result == AttemptResult::Done);
        let plain = if are_done { insert_of_held(&rows, &finished, connections).await? } else { None };
        let (mut numbers, states) = match plain {
            Some(written) => written,
            None => insert(&rows, &finished, connections).await?,
        };
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

/// The row numbers by search, and the new states of the jobs whose attempts have ended.
type Written = (HashMap<String, i64>, Vec<JobState>);

/// What [`insert`] does, for attempts that have done their jobs and are all held by their workers, as nearly all are.
/// Does nothing and returns `None` if one is not: to know why needs the longer statement.
async fn insert_of_held(
    rows: &LogColumns,
    finished: &AttemptColumns,
    connections: &Connections,
) -> Result<Option<Written>> {
    let written = sqlx::query!(
        r#"with told as materialized (
               select *
               from unnest((select $1::bigint[]), (select $2::integer[]), (select $3::text[]), (select $4::bigint[]),
                           (select $5::text[]), (select $6::text[]), (select $7::text[]), (select $8::text[]),
                           (select $9::text[]), (select $10::text[]), (select $11::boolean[]), (select $12::text[]),
                           (select $13::bigint[]), (select $14::bigint[]), (select $15::bigint[]))
                    as told (attempt_of, attempt, worker, ended_at, phrase, letters, ip, browser_string, results,
                             user_agent, escaped, search_id, job_id, searched_at, recorded_at)
               order by attempt_of
           ),
           held as materialized (
               select job.id, told.ended_at
               from told
               cross join lateral (
                   select id from job
                   where id = told.attempt_of and kind = 'log_request' and key = told.search_id
                     and state = 'running' and attempt = told.attempt and worker = told.worker
                   for update
               ) as job
           ),
           done as (
               update job
               set state = 'done', recorded = true, done_by = worker, finished_at_ms = held.ended_at,
                   worker = null, lease_until_ms = null, cancel_requested = false
               from held
               where job.id = held.id and (select count(*) from held) = (select count(*) from told)
               returning 1
           ),
           ended as materialized (select count(*) as jobs from done),
           -- Taken when all else is done, as in the longer statement.
           append_lock as materialized (select pg_advisory_xact_lock($16) from ended where jobs > 0),
           inserted as (
               insert into log (phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                                searched_at_ms, recorded_at_ms)
               select phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                      searched_at, recorded_at
               from append_lock cross join lateral (select * from told order by search_id) as sorted
               on conflict (search_id) do nothing
               returning id, search_id
           )
           select ended.jobs as "jobs!", inserted.id as "id?", inserted.search_id as "search_id?"
           from ended left join inserted on true"#,
        &finished.jobs,
        &finished.attempts,
        &finished.workers,
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
    let written = connections.fetch_all(written).await?;
    if written.iter().all(|row| row.jobs == 0) {
        return Ok(None);
    }
    let numbers = written.into_iter().filter_map(|row| row.search_id.zip(row.id)).collect();
    Ok(Some((numbers, vec![JobState::Done])))
}

/// Inserts the rows of searches that have none, and ends the attempts.
///
/// Row numbers grow in the order in which rows become visible: a lock is held from taking the first number until all
/// rows are visible, so a reader that follows the numbers misses no row. The statement commits by itself, so the lock
/// is held only while the server works.
async fn insert(rows: &LogColumns, finished: &AttemptColumns, connections: &Connections) -> Result<Written> {
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
               where final_outcome <> 'done'
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
                   done_by = case
                                 when final_outcome is null then job.done_by when final_outcome = 'done' then job.worker
                             end,
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
