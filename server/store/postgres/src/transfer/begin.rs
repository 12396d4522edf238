//! The beginning of a copy, and the refusal of one.

use sqlx::PgConnection;
use store::Result;
use store::codec::{corrupt, count};
use store::copy::{BeginOutcome, Cursor, Metadata, Progress, Refusal, SourceIdentity, Table};

use crate::error::store_error;
use crate::transfer::open::is_served;

pub(super) async fn begin(
    origin: &SourceIdentity,
    base: &Metadata,
    connection: &mut PgConnection,
) -> Result<BeginOutcome> {
    // Locked: what a copy that was killed has sent last may still be about to be committed.
    let copy = sqlx::query!(
        "select source_name, source_identity, source_state, part, up_to, done, finished from copy for update"
    );
    if let Some(copy) = copy.fetch_optional(&mut *connection).await.map_err(store_error)? {
        let is_same = copy.source_identity == origin.identity;
        return Ok(match copy.finished {
            false if !is_same => BeginOutcome::Refused(Refusal::OtherSource(copy.source_name)),
            false if copy.source_state != origin.state => BeginOutcome::Refused(Refusal::SourceChanged),
            false => BeginOutcome::Resumed(Progress {
                table: Table::parse(&copy.part).ok_or_else(|| corrupt("table of a copy", &copy.part))?,
                after: Cursor(copy.up_to),
                done: count(copy.done),
            }),
            true if is_same => BeginOutcome::Refused(Refusal::Finished),
            true => BeginOutcome::Refused(Refusal::OtherSource(copy.source_name)),
        });
    }
    if let Some(refusal) = what_is_there(connection).await? {
        return Ok(BeginOutcome::Refused(refusal));
    }
    if is_served(connection).await.map_err(store_error)? {
        return Ok(BeginOutcome::Refused(Refusal::Served));
    }
    write_base(base, connection).await?;
    mark(origin, connection).await?;
    Ok(BeginOutcome::New)
}

async fn what_is_there(connection: &mut PgConnection) -> Result<Option<Refusal>> {
    let there = sqlx::query!(
        r#"select exists (select 1 from account) as "accounts!",
                  exists (select 1 from log) as "log!",
                  exists (select 1 from job) as "jobs!",
                  exists (select 1 from missing_search) as "missing!",
                  exists (select 1 from tally where what = 'accepted')
                  or exists (select 1 from total where what = 'accepted' and count <> 0) as "searches!""#
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(Refusal::not_empty(&[
        (there.accounts, "accounts"),
        (there.log, "a log"),
        (there.jobs, "jobs"),
        (there.searches || there.missing, "a ledger with searches"),
    ]))
}

async fn write_base(base: &Metadata, connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("update secret set key = $1 where id = 1", &base.secret[..])
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    // A link that makes the first administrator: there will be accounts.
    sqlx::query!("delete from setup_link").execute(&mut *connection).await.map_err(store_error)?;
    sqlx::query!("insert into tally (what, by) values ('accepted', $1), ('pruned', $2)", base.accepted, base.pruned)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    // Numbers go on behind the highest that was ever given. A sequence whose last number was 0 has given none.
    sqlx::query!(
        "select setval(pg_get_serial_sequence('log', 'id'), greatest($1::bigint, 1), $1 > 0) as log,
                setval(pg_get_serial_sequence('job', 'id'), greatest($2::bigint, 1), $2 > 0) as job",
        base.last_log,
        base.last_job
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    let kinds: Vec<&str> = base.kinds.iter().map(|kind| kind.kind.as_str()).collect();
    let paused: Vec<bool> = base.kinds.iter().map(|kind| kind.paused).collect();
    let limits = base.kinds.iter().map(|kind| kind.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)));
    let limits: Vec<Option<i32>> = limits.collect();
    sqlx::query!(
        "insert into job_kind (kind, paused, concurrency)
         select * from unnest($1::text[], $2::boolean[], $3::integer[])
         on conflict (kind) do update set paused = excluded.paused, concurrency = excluded.concurrency",
        &kinds as _,
        &paused,
        &limits as _
    )
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn mark(origin: &SourceIdentity, connection: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "insert into copy (id, source_name, source_identity, source_state, part, up_to, done)
         values (1, $1, $2, $3, $4, '', 0)",
        origin.name,
        origin.identity,
        origin.state,
        Table::ALL[0].as_str()
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
