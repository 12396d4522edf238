//! What workers say of attempts that run, and what jobs put out.

use api::JobId;
use store::{JobReport, OutputPart, Result};

use crate::connections::{Connections, in_time};
use crate::escape::{restored, storable};

/// Returns false where the worker does not hold the attempt any more.
///
/// The part's number comes from the report's row, which is locked when it is counted up: so two who report at the same
/// time get different numbers, whatever their statements have seen of each other.
pub(super) async fn report(connections: &Connections, report: &JobReport) -> Result<bool> {
    let (part, result) = (report.part.as_deref().map(storable), report.result.as_deref().map(storable));
    let note = storable(&report.note);
    let statement = sqlx::query_scalar!(
        r#"with held as materialized (
               select id from job where id = $1 and state = 'running' and worker = $2 and attempt = $3 for update
           ),
           reported as (
               insert into job_report (job_id, percent, note, result, parts)
               select id, $4, $5, $6, case when $7::text is null then 0 else 1 end from held
               on conflict (job_id) do update
               set percent = excluded.percent, note = excluded.note,
                   result = coalesce(excluded.result, job_report.result), parts = job_report.parts + excluded.parts
               returning job_id, parts
           ),
           put_out as (
               insert into job_output (job_id, number, text)
               select job_id, parts, $7 from reported where $7::text is not null
           )
           select exists (select 1 from reported) as "stored!""#,
        report.job.0,
        report.worker.0,
        i32::try_from(report.attempt).unwrap_or(i32::MAX),
        i16::from(report.percent),
        &*note,
        result.as_deref(),
        part.as_deref()
    );
    let mut connection = connections.get().await?;
    let stored = in_time(statement.fetch_one(&mut *connection)).await;
    connection.settle(stored).await
}

pub(super) async fn output(connections: &Connections, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>> {
    let statement = sqlx::query!(
        "select number, text from job_output where job_id = $1 and number > $2 order by number limit $3",
        id.0,
        i32::try_from(after).unwrap_or(i32::MAX),
        i64::from(limit)
    );
    let mut connection = connections.get().await?;
    let parts = in_time(statement.fetch_all(&mut *connection)).await;
    let parts = connection.settle(parts).await?.into_iter();
    Ok(parts.map(|part| OutputPart { number: part.number.unsigned_abs(), text: restored(part.text) }).collect())
}
