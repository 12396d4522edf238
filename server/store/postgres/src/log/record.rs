//! New log rows and the ends of the attempts that have written them, a batch in one statement.

use std::collections::HashMap;

use api::{JobState, LogSeq};
use async_trait::async_trait;
use store::codec::{corrupt, job_state};
use store::{ChangedTopics, FinishedAttempt, LogEntry, Result, Topic};

use crate::connections::{Connections, in_time};
use crate::escape::escaped;
use crate::lane::Grouped;
use crate::queue::{Front, Told};

/// "log" in ASCII: who holds this lock is the one whose rows come next.
const NUMBERS: i64 = 0x6c_6f67;

/// A row, and the attempt that has written it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: LogEntry,
    pub(crate) attempt: FinishedAttempt,
}

#[async_trait]
impl Grouped for Record {
    type Answer = LogSeq;

    async fn write(writes: &[Self], connections: &Connections, front: &Front) -> Result<(Vec<LogSeq>, ChangedTopics)> {
        let told = Told::of(writes.iter().map(|write| &write.attempt));
        let rows = Rows::of(writes.iter().map(|write| &write.entry));
        let (mut numbers, states) = insert(&rows, &told, connections).await?;
        let mut touched = ChangedTopics::default();
        for state in states {
            touched.left(JobState::Running);
            touched.entered(state);
            front.moved_to(state);
        }
        if !numbers.is_empty() {
            touched.topic(Topic::Log);
        }
        let refused: Vec<&str> =
            rows.searches.iter().filter(|search| !numbers.contains_key(*search)).map(String::as_str).collect();
        numbers.extend(find_present(&refused, connections).await?);
        let number = |search: &String| {
            let number = numbers.get(search).copied().map(LogSeq);
            number.ok_or_else(|| corrupt("log row that conflicts with none", search))
        };
        Ok((rows.searches.iter().map(number).collect::<Result<_>>()?, touched))
    }
}

/// Rows as the columns of which a statement makes rows again.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) phrases: Vec<String>,
    pub(crate) letters: Vec<String>,
    pub(crate) ips: Vec<String>,
    pub(crate) browsers: Vec<String>,
    pub(crate) results: Vec<String>,
    pub(crate) agents: Vec<String>,
    pub(crate) escaped: Vec<bool>,
    pub(crate) searches: Vec<String>,
    pub(crate) jobs: Vec<i64>,
    pub(crate) searched_at: Vec<i64>,
    pub(crate) recorded_at: Vec<i64>,
}

impl Rows {
    pub(crate) fn of<'a>(entries: impl Iterator<Item = &'a LogEntry>) -> Self {
        let mut rows = Self::default();
        for entry in entries {
            let texts =
                [&entry.phrase, &entry.letters, &entry.ip, &entry.browser_family, &entry.results, &entry.user_agent];
            let has_nul = texts.iter().any(|text| text.contains('\0'));
            let [phrase, letters, ip, browser, results, agent] =
                texts.map(|text| if has_nul { escaped(text) } else { text.clone() });
            rows.phrases.push(phrase);
            rows.letters.push(letters);
            rows.ips.push(ip);
            rows.browsers.push(browser);
            rows.results.push(results);
            rows.agents.push(agent);
            rows.escaped.push(has_nul);
            rows.searches.push(entry.search_id.to_string());
            rows.jobs.push(entry.job_id.0);
            rows.searched_at.push(entry.searched_at.0);
            rows.recorded_at.push(entry.recorded_at.0);
        }
        rows
    }
}

/// Inserts the rows of searches that have none, and returns their numbers by their searches, and
/// the states of the jobs whose attempts it has ended.
///
/// Numbers grow in the order in which rows become visible: a lock is taken before the first number and held until
/// all are visible, so nobody who follows the numbers can be overtaken by a row with a smaller one. As the statement
/// commits by itself, the lock is held for no longer than the server takes for it.
async fn insert(rows: &Rows, told: &Told, connections: &Connections) -> Result<(HashMap<String, i64>, Vec<JobState>)> {
    let statement = sqlx::query!(
        r#"with told as materialized (
               select distinct on (job_id, attempt, worker) *
               from unnest((select $1::bigint[]), (select $2::integer[]), (select $3::text[]), (select $4::text[]),
                           (select $5::text[]), (select $6::bigint[]), (select $7::bigint[])) with ordinality
                    as told (job_id, attempt, worker, outcome, error, run_at, ended_at, place)
               order by job_id, attempt, worker, place
           ),
           new as materialized (
               select * from unnest((select $8::text[]), (select $9::text[]), (select $10::text[]),
                                    (select $11::text[]), (select $12::text[]), (select $13::text[]),
                                    (select $14::boolean[]), (select $15::text[]), (select $16::bigint[]),
                                    (select $17::bigint[]), (select $18::bigint[]))
                    as new (phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                            searched_at, recorded_at)
           ),
           -- The jobs whose attempts end, and those whose searches have a row now.
           concerned as materialized (
               select id, bool_or(has_row) as has_row
               from (
                   select job_id, false from told
                   union all
                   select job.id, true from new join job on job.kind = 'log_request' and job.key = new.search_id
               ) as concerned (id, has_row)
               group by id order by id
           ),
           job_now as materialized (
               select job.*, has_row
               from concerned
               cross join lateral (
                   select id, attempt, worker, state, max_attempts, cancel_requested, started_at_ms, recorded
                   from job where id = concerned.id for update
               ) as job
           ),
           settled as materialized (
               select job_now.id, job_now.recorded or has_row as is_recorded, job_now.started_at_ms,
                      told.job_id, told.attempt, told.worker, told.error, told.run_at, told.ended_at,
                      case
                          -- A job that was to stop does not run again, however its worker put it.
                          when cancel_requested and outcome in ('failed', 'released') then 'cancelled'
                          when outcome = 'failed' and told.attempt >= max_attempts then 'dead'
                          else outcome
                      end as came_to
               from job_now
               left join told on told.job_id = job_now.id and told.attempt = job_now.attempt
                              and told.worker = job_now.worker and job_now.state = 'running'
               where told.job_id is not null or (has_row and not recorded)
           ),
           noted as (
               insert into attempt (job_id, ordinal, number, worker, started_at_ms, finished_at_ms, outcome, error)
               select job_id,
                      (select coalesce(max(ordinal), 0) + 1 from attempt where attempt.job_id = settled.job_id),
                      attempt, worker, started_at_ms, ended_at, came_to, error
               from settled
               where came_to is not null
               returning 1
           ),
           moved as (
               update job
               set recorded = is_recorded,
                   state = case came_to
                               when 'failed' then 'retrying' when 'released' then 'waiting'
                               else coalesce(came_to, job.state)
                           end,
                   run_at_ms = case when came_to in ('failed', 'released') then run_at else run_at_ms end,
                   attempt = case came_to when 'released' then job.attempt - 1 else job.attempt end,
                   finished_at_ms = case
                                        when came_to in ('failed', 'released') then null
                                        else coalesce(settled.ended_at, job.finished_at_ms)
                                    end,
                   error = coalesce(settled.error, job.error),
                   worker = case when came_to is null then job.worker end,
                   lease_until_ms = case when came_to is null then job.lease_until_ms end,
                   cancel_requested = came_to is null and job.cancel_requested
               from settled
               where job.id = settled.id
               returning came_to, job.state
           ),
           -- After the jobs are ours, so that nobody who waits for one of them waits for the lock too; and after all
           -- that needs no number, which others may do at the same time.
           turn as materialized (
               select pg_advisory_xact_lock($19)
               from (
                   select count(*)
                   from (select from job_now union all select from moved union all select from noted) as written
               ) as done
           ),
           inserted as (
               insert into log (phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                                searched_at_ms, recorded_at_ms)
               select phrase, letters, ip, browser_string, results, user_agent, escaped, search_id, job_id,
                      searched_at, recorded_at
               from turn cross join lateral (select * from new order by search_id) as sorted
               on conflict (search_id) do nothing
               returning id, search_id
           )
           select id as "id?", search_id as "search_id?", null as "came_to?: String" from inserted
           union all
           select null, null, state from moved where came_to is not null"#,
        &told.jobs,
        &told.attempts,
        &told.workers,
        &told.outcomes as _,
        &told.errors as _,
        &told.run_at,
        &told.ended_at,
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
        NUMBERS
    );
    let mut connection = connections.get().await?;
    let done = in_time(statement.fetch_all(&mut *connection)).await;
    let (mut numbers, mut states) = (HashMap::new(), Vec::new());
    for row in connection.settle(done).await? {
        if let (Some(id), Some(search)) = (row.id, row.search_id) {
            numbers.insert(search, id);
        } else if let Some(state) = row.came_to {
            states.push(job_state(&state)?);
        }
    }
    Ok((numbers, states))
}

/// The rows that these searches have already.
async fn find_present(searches: &[&str], connections: &Connections) -> Result<HashMap<String, i64>> {
    if searches.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = sqlx::query!(
        "select search_id, id from log join unnest((select $1::text[])) as told (search_id) using (search_id)",
        searches as &[&str] as _
    );
    let mut connection = connections.get().await?;
    let found = in_time(statement.fetch_all(&mut *connection)).await;
    Ok(connection.settle(found).await?.into_iter().map(|row| (row.search_id, row.id)).collect())
}
