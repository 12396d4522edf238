//! Begins, resumes or refuses a copy.

use store::Result;
use store::copy::{BeginOutcome, EarlierCopy, Metadata, Refusal, SourceIdentity, Table};

use crate::bulk::json_rows;
use crate::transaction::Transaction;

pub(super) async fn begin(
    source: &SourceIdentity,
    metadata: &Metadata,
    tx: &mut Transaction<'_>,
) -> Result<BeginOutcome> {
    let earlier = sqlx::query_as!(
        EarlierCopy,
        r#"select source_name, source_identity, source_state, part, up_to, done, finished as "finished: bool" from copy"#
    );
    if let Some(earlier) = tx.fetch_optional(earlier).await? {
        return earlier.outcome(source);
    }
    if let Some(refusal) = find_content(tx).await? {
        return Ok(BeginOutcome::Refused(refusal));
    }
    write_metadata(metadata, tx).await?;
    mark_unfinished(source, tx).await?;
    Ok(BeginOutcome::New)
}

async fn find_content(tx: &mut Transaction<'_>) -> Result<Option<Refusal>> {
    let found = sqlx::query!(
        r#"select exists (select 1 from account) as "accounts!: bool",
                  exists (select 1 from audit) as "audit!: bool",
                  exists (select 1 from log) as "log!: bool",
                  exists (select 1 from job) as "jobs!: bool",
                  exists (select 1 from ledger where accepted <> 0 or recorded <> 0) as "searches!: bool""#
    );
    let found = tx.fetch_one(found).await?;
    Ok(Refusal::not_empty(&[
        (found.accounts, "accounts"),
        (found.audit, "an audit"),
        (found.log, "a log"),
        (found.jobs, "jobs"),
        (found.searches, "a ledger with searches"),
    ]))
}

async fn write_metadata(metadata: &Metadata, tx: &mut Transaction<'_>) -> Result<()> {
    let secret = &metadata.secret[..];
    tx.execute(sqlx::query!("update secret set key = ?1 where id = 1", secret)).await?;
    // The copied accounts replace the link for the first administrator.
    tx.execute(sqlx::query!("delete from setup_link")).await?;
    tx.execute(sqlx::query!(
        "update ledger set accepted = ?1, recorded = 0, cancelled = ?2 where id = 1",
        metadata.accepted,
        metadata.pruned
    ))
    .await?;
    for (table, last) in [("log", metadata.last_log), ("job", metadata.last_job)] {
        // SQLite's own table, which has no unique constraint.
        tx.execute(sqlx::query!("delete from sqlite_sequence where name = ?1", table)).await?;
        tx.execute(sqlx::query!("insert into sqlite_sequence (name, seq) values (?1, ?2)", table, last)).await?;
    }
    let kinds: Vec<_> = metadata.kinds.iter().map(|kind| (&kind.kind, kind.paused, kind.limit)).collect();
    let kinds = json_rows(&kinds);
    tx.execute(sqlx::query!(
        "insert into job_kind (kind, paused, concurrency)
         select kind.value ->> 0, kind.value ->> 1, kind.value ->> 2 from jsonb_each(?1) as kind where true
         on conflict (kind) do update set paused = excluded.paused, concurrency = excluded.concurrency",
        kinds
    ))
    .await?;
    Ok(())
}

async fn mark_unfinished(source: &SourceIdentity, tx: &mut Transaction<'_>) -> Result<()> {
    let table = Table::ALL[0].as_str();
    tx.execute(sqlx::query!(
        "insert into copy (id, source_name, source_identity, source_state, part, up_to, done)
         values (1, ?1, ?2, ?3, ?4, '', 0)",
        source.name,
        source.identity,
        source.state,
        table
    ))
    .await?;
    Ok(())
}
