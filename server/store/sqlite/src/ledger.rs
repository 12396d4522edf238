//! The ledger: where every accepted search is.

use api::{JobId, Ledger, MissingSearch, SearchId};
use store::Result;
use store::codec::{count, ledger_figure, search_id};

use crate::bulk::json_rows;
use crate::connections::Connections;
use crate::transaction::Transaction;

/// One statement, which reads one snapshot.
pub(crate) async fn ledger(connections: &Connections) -> Result<Ledger> {
    let rows = sqlx::query!(
        r#"select 'accepted' as "figure!: String", accepted as "searches!: i64" from ledger
           union all
           select 'recorded', recorded - reopened from ledger
           union all
           select 'pruned', cancelled from ledger
           union all
           select state, count from job_count where kind = 'log_request' and state <> 'done'"#
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

/// How many of these searches have a job that is not done.
pub(crate) async fn count_open(searches: &[SearchId], tx: &mut Transaction<'_>) -> Result<i64> {
    let searches = json_rows(&searches);
    tx.fetch_one(sqlx::query_scalar!(
        r#"select count(*) as "count!: i64" from jsonb_each(?1) as search
           cross join job
           where job.kind = 'log_request' and job.key = search.value and job.state <> 'done'"#,
        searches
    ))
    .await
}

/// How many of these jobs belong to searches that have a row.
pub(crate) async fn count_recorded(jobs: &[JobId], tx: &mut Transaction<'_>) -> Result<i64> {
    let jobs = json_rows(&jobs);
    tx.fetch_one(sqlx::query_scalar!(
        r#"select count(*) as "count!: i64" from jsonb_each(?1) as done
           cross join job
           cross join log
           where job.id = done.value and job.kind = 'log_request' and log.search_id = job.key"#,
        jobs
    ))
    .await
}
