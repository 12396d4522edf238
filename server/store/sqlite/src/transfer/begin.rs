//! The beginning of a copy, and the refusal of one.

use sqlx::SqliteConnection;
use store::codec::{corrupt, count};
use store::{Base, Begun, Origin, Part, Progress, Refusal, Result, not_empty};

use crate::error::store_error;
use crate::texts::json_rows;

pub(super) async fn begin(origin: &Origin, base: &Base, connection: &mut SqliteConnection) -> Result<Begun> {
    let copy = sqlx::query!(
        r#"select source_name, source_identity, source_state, part, up_to, done, finished as "finished: bool" from copy"#
    );
    if let Some(copy) = copy.fetch_optional(&mut *connection).await.map_err(store_error)? {
        let is_same = copy.source_identity == origin.identity;
        return Ok(match copy.finished {
            false if !is_same => Begun::Refused(Refusal::OtherOrigin(copy.source_name)),
            false if copy.source_state != origin.state => Begun::Refused(Refusal::OriginChanged),
            false => Begun::Resumed(Progress {
                part: Part::parse(&copy.part).ok_or_else(|| corrupt("part of a copy", &copy.part))?,
                after: store::Cursor(copy.up_to),
                done: count(copy.done),
            }),
            true if is_same => Begun::Refused(Refusal::Finished),
            true => Begun::Refused(Refusal::OtherOrigin(copy.source_name)),
        });
    }
    if let Some(refusal) = what_is_there(connection).await? {
        return Ok(Begun::Refused(refusal));
    }
    write_base(base, connection).await?;
    mark(origin, connection).await?;
    Ok(Begun::New)
}

async fn what_is_there(connection: &mut SqliteConnection) -> Result<Option<Refusal>> {
    let there = sqlx::query!(
        r#"select exists (select 1 from account) as "accounts!: bool",
                  exists (select 1 from log) as "log!: bool",
                  exists (select 1 from job) as "jobs!: bool",
                  exists (select 1 from ledger where accepted <> 0 or recorded <> 0) as "searches!: bool""#
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(not_empty(&[
        (there.accounts, "accounts"),
        (there.log, "a log"),
        (there.jobs, "jobs"),
        (there.searches, "a ledger with searches"),
    ]))
}

async fn write_base(base: &Base, connection: &mut SqliteConnection) -> Result<()> {
    let secret = &base.secret[..];
    sqlx::query!("update secret set key = ?1 where id = 1", secret)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    // A link that makes the first administrator: there will be accounts.
    sqlx::query!("delete from setup_link").execute(&mut *connection).await.map_err(store_error)?;
    sqlx::query!(
        "update ledger set accepted = ?1, recorded = 0, reopened = 0, cancelled = ?2 where id = 1",
        base.accepted,
        base.pruned
    )
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    for (table, last) in [("log", base.last_log), ("job", base.last_job)] {
        // SQLite's own table, which knows no conflicts.
        sqlx::query!("delete from sqlite_sequence where name = ?1", table)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        sqlx::query!("insert into sqlite_sequence (name, seq) values (?1, ?2)", table, last)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    let kinds: Vec<_> = base.kinds.iter().map(|kind| (&kind.kind, kind.paused, kind.limit)).collect();
    let kinds = json_rows(&kinds);
    sqlx::query!(
        "insert into job_kind (kind, paused, concurrency)
         select kind.value ->> 0, kind.value ->> 1, kind.value ->> 2 from jsonb_each(?1) as kind where true
         on conflict (kind) do update set paused = excluded.paused, concurrency = excluded.concurrency",
        kinds
    )
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn mark(origin: &Origin, connection: &mut SqliteConnection) -> Result<()> {
    let part = Part::ALL[0].as_str();
    sqlx::query!(
        "insert into copy (id, source_name, source_identity, source_state, part, up_to, done)
         values (1, ?1, ?2, ?3, ?4, '', 0)",
        origin.name,
        origin.identity,
        origin.state,
        part
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
