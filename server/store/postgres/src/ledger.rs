//! The ledger: where every accepted search is.

use api::{JobId, Ledger, MissingSearch};
use store::Result;
use store::codec::{count, ledger_figure, search_id};

use crate::connections::Connections;

/// One statement, which reads one snapshot.
pub(crate) async fn ledger(connections: &Connections) -> Result<Ledger> {
    let rows = sqlx::query!(
        r#"with counter as (
               select what, kind, state, count from total
               union all
               select what, kind, state, by from tally where xid >= (select up_to from folded)
           )
           -- A search that has a row counts as recorded, whatever the state of its job.
           select case when what in ('jobs', 'reopened') then state else what end as "figure!",
                  sum(case what when 'reopened' then -count else count end)::bigint as "searches!"
           from counter
           where what <> 'jobs' or (kind = 'log_request' and state <> 'done')
           group by 1"#
    );
    let mut ledger = Ledger::default();
    for row in connections.fetch_all(rows).await? {
        *ledger_figure(&mut ledger, &row.figure)? += count(row.searches);
    }
    Ok(ledger)
}

pub(crate) async fn missing_searches(connections: &Connections, limit: u32) -> Result<Vec<MissingSearch>> {
    let rows = sqlx::query!(
        r#"select search_id as "search_id!", job_id as "job_id!", what as "what!"
           from missing_search
           where not exists (select 1 from log where log.search_id = missing_search.search_id)
             and not exists (
                 select 1 from job
                 where kind = 'log_request' and key = missing_search.search_id and state <> 'done'
             )
           union
           select key, id, 'Its job is done, and there is no row.' from job
           where kind = 'log_request' and state = 'done' and key is not null
             and not exists (select 1 from log where search_id = job.key)
             and not exists (select 1 from missing_search where search_id = job.key)
           limit $1"#,
        i64::from(limit)
    );
    let missing = connections.fetch_all(rows).await?.into_iter().map(|row| {
        Ok(MissingSearch { search: search_id(&row.search_id)?, job: Some(JobId(row.job_id)), what: row.what })
    });
    missing.collect()
}
