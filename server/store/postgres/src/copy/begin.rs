//! Begins, resumes or refuses a copy.

use sqlx::PgConnection;
use store::copy::{BeginOutcome, EarlierCopy, Metadata, Refusal, SourceIdentity, Table};

use crate::copy::is_served;
use crate::error::Error;
use crate::job_queue::clamped;

pub(super) async fn begin(
    source: &SourceIdentity,
    metadata: &Metadata,
    connection: &mut PgConnection,
) -> Result<BeginOutcome, Error> {
    // Locked: the last batch of a copy that was killed may not be committed yet.
    let earlier = sqlx::query_as!(
        EarlierCopy,
        "select source_name, source_identity, source_state, part, up_to, done, finished from copy for update"
    );
    if let Some(earlier) = earlier.fetch_optional(&mut *connection).await? {
        return Ok(earlier.outcome(source)?);
    }
    if let Some(refusal) = find_content(connection).await? {
        return Ok(BeginOutcome::Refused(refusal));
    }
    if is_served(connection).await? {
        return Ok(BeginOutcome::Refused(Refusal::Served));
    }
    write_metadata(metadata, connection).await?;
    mark_unfinished(source, connection).await?;
    Ok(BeginOutcome::New)
}

async fn find_content(connection: &mut PgConnection) -> Result<Option<Refusal>, Error> {
    let found = sqlx::query!(
        r#"select exists (select 1 from account) as "accounts!",
                  exists (select 1 from audit) as "audit!",
                  exists (select 1 from log) as "log!",
                  exists (select 1 from job) as "jobs!",
                  exists (select 1 from missing_search) as "missing!",
                  exists (select 1 from tally where what = 'accepted')
                  or exists (select 1 from total where what = 'accepted' and count <> 0) as "searches!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(Refusal::not_empty(&[
        (found.accounts, "accounts"),
        (found.audit, "an audit"),
        (found.log, "a log"),
        (found.jobs, "jobs"),
        (found.searches || found.missing, "a ledger with searches"),
    ]))
}

async fn write_metadata(metadata: &Metadata, connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!("update secret set key = $1 where id = 1", &metadata.secret[..]).execute(&mut *connection).await?;
    // The copied accounts replace the link for the first administrator.
    sqlx::query!("delete from setup_link").execute(&mut *connection).await?;
    sqlx::query!(
        "insert into tally (what, by) values ('accepted', $1), ('pruned', $2)",
        metadata.accepted,
        metadata.pruned
    )
    .execute(&mut *connection)
    .await?;
    // New ids continue after the highest one ever assigned. A sequence at 0 has assigned none.
    sqlx::query!(
        "select setval(pg_get_serial_sequence('log', 'id'), greatest($1::bigint, 1), $1 > 0) as log,
                setval(pg_get_serial_sequence('job', 'id'), greatest($2::bigint, 1), $2 > 0) as job",
        metadata.last_log,
        metadata.last_job
    )
    .fetch_one(&mut *connection)
    .await?;
    let kinds: Vec<&str> = metadata.kinds.iter().map(|kind| kind.kind.as_str()).collect();
    let paused: Vec<bool> = metadata.kinds.iter().map(|kind| kind.paused).collect();
    let limits: Vec<Option<i32>> = metadata.kinds.iter().map(|kind| kind.limit.map(clamped)).collect();
    sqlx::query!(
        "insert into job_kind (kind, paused, concurrency)
         select * from unnest($1::text[], $2::boolean[], $3::integer[])
         on conflict (kind) do update set paused = excluded.paused, concurrency = excluded.concurrency",
        &kinds as _,
        &paused,
        &limits as _
    )
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn mark_unfinished(source: &SourceIdentity, connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query!(
        "insert into copy (id, source_name, source_identity, source_state, part, up_to, done)
         values (1, $1, $2, $3, $4, '', 0)",
        source.name,
        source.identity,
        source.state,
        Table::ALL[0].as_str()
    )
    .execute(connection)
    .await?;
    Ok(())
}
