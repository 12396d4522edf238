//! The ledger: where every accepted search is.

use api::{JobId, Ledger, MissingSearch};
use serde::Serialize;
use store::Result;
use store::codec::{count, ledger_figure, search_id};

use crate::bulk::json_rows;
use crate::connections::Connections;
use crate::transaction::Transaction;

/// One statement, which reads one snapshot.
pub(crate) async fn ledger(connections: &Connections) -> Result<Ledger> {
    let rows = sqlx::query!(
        r#"with counter (figure, searches) as (
               select 'accepted', accepted from ledger
               union all
               select 'recorded', recorded from ledger
               union all
               select 'pruned', cancelled from ledger
               union all
               select state, count from job_count where kind = 'log_request' and state <> 'done'
               union all
               -- A search that has a row counts as recorded, whatever the state of its job.
               select job.state, -1
               from reopened_job cross join job
               where job.id = reopened_job.job_id and job.state <> 'done'
                 and exists (select 1 from log where search_id = job.key)
           )
           select figure as "figure!: String", sum(searches) as "searches!: i64" from counter group by figure"#
    );
    let mut ledger = Ledger::default();
    for row in connections.fetch_all(rows).await? {
        *ledger_figure(&mut ledger, &row.figure)? += count(row.searches);
    }
    Ok(ledger)
}

pub(crate) async fn missing_searches(connections: &Connections, limit: u32) -> Result<Vec<MissingSearch>> {
    let rows = sqlx::query!(
        r#"select search_id as "search_id!: String", job_id as "job_id!: i64", what as "what!: String"
           from missing_search
           where not exists (select 1 from log where log.search_id = missing_search.search_id)
             and not exists (
                 select 1 from job
                 where kind = 'log_request' and key = missing_search.search_id and state <> 'done'
             )
           union
           select key, id, 'Its job is done, and there is no row.' from job
           where kind = 'log_request' and state = 'done'
             and not exists (select 1 from log where search_id = job.key)
             and not exists (select 1 from missing_search where search_id = job.key)
           limit ?1"#,
        limit
    );
    let missing = connections.fetch_all(rows).await?.into_iter().map(|row| {
        Ok(MissingSearch { search: search_id(&row.search_id)?, job: Some(JobId(row.job_id)), what: row.what })
    });
    missing.collect()
}

/// Lists the jobs of those of these searches that have a row although their job is not done.
pub(crate) async fn note_reopened(searches: &[impl Serialize], tx: &mut Transaction<'_>) -> Result<()> {
    if searches.is_empty() {
        return Ok(());
    }
    let searches = json_rows(&searches);
    let noted = sqlx::query!(
        "insert into reopened_job (job_id)
         select job.id from jsonb_each(?1) as search
         cross join job
         where job.kind = 'log_request' and job.key = search.value and job.state <> 'done'
           and exists (select 1 from log where search_id = job.key)
         on conflict (job_id) do nothing",
        searches
    );
    tx.execute(noted).await.map(drop)
}

/// Takes jobs that are done again from the list.
pub(crate) async fn forget_reopened(jobs: &[JobId], tx: &mut Transaction<'_>) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let jobs = json_rows(&jobs);
    tx.execute(sqlx::query!("delete from reopened_job where job_id in (select value from jsonb_each(?1))", jobs))
        .await
        .map(drop)
}
