//! What workers say of attempts that run, and what jobs put out.

use api::JobId;
use async_trait::async_trait;
use store::{JobReport, OutputPart, Result, Topic};

use crate::error::store_error;
use crate::reader::Readers;
use crate::writer::{Write, WriteTx};

pub(crate) struct Report(pub(crate) JobReport);

#[async_trait]
impl Write for Report {
    type Answer = bool;

    async fn run(&self, tx: &mut WriteTx<'_>) -> Result<bool> {
        let JobReport { job, attempt, worker, percent, note, part, result } = &self.0;
        let new_parts = i64::from(part.is_some());
        let parts = sqlx::query_scalar!(
            r#"insert into job_report (job_id, percent, note, result, parts)
               select id, ?4, ?5, ?6, ?7 from job where id = ?1 and state = 'running' and worker = ?2 and attempt = ?3
               on conflict (job_id) do update
               set percent = excluded.percent, note = excluded.note, result = coalesce(excluded.result, result),
                   parts = parts + excluded.parts
               returning parts as "parts!: i64""#,
            job.0,
            worker.0,
            attempt,
            percent,
            note,
            result,
            new_parts
        )
        .fetch_optional(&mut *tx.connection)
        .await
        .map_err(store_error)?;
        let Some(number) = parts else { return Ok(false) };
        if let Some(text) = part {
            sqlx::query!("insert into job_output (job_id, number, text) values (?1, ?2, ?3)", job.0, number, text)
                .execute(&mut *tx.connection)
                .await
                .map_err(store_error)?;
        }
        tx.changes.touched(Topic::Output);
        Ok(true)
    }
}

pub(super) async fn output(readers: &Readers, id: JobId, after: u32, limit: u32) -> Result<Vec<OutputPart>> {
    let parts = sqlx::query_as!(
        OutputPart,
        r#"select number as "number: u32", text from job_output
           where job_id = ?1 and number > ?2 order by number limit ?3"#,
        id.0,
        after,
        limit
    );
    parts.fetch_all(&mut *readers.get().await?).await.map_err(store_error)
}
