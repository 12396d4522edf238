//! Reads a contestant's log from outside: which searches it holds, and when they were written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::time::sleep;

/// Polling more often would add load.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The number of polls without a new row that end the wait. Stock apalis may sleep for 30 s.
const LOOKS_WITHOUT_CHANGE: u32 = 80;

/// The location of a log.
#[derive(Clone, Debug)]
pub(crate) enum LogTable {
    /// The contestant keeps none.
    None,
    /// The rows after this one, with `search_id` and `recorded_at_ms` as ours.
    Sqlite {
        file: PathBuf,
        after: i64,
    },
    Postgres(String),
    /// The baseline's, with `ts`.
    Baseline(PathBuf),
    /// Our jobs after this one, if the rows are written too late to wait for.
    Jobs {
        file: PathBuf,
        after: i64,
    },
}

/// The rows of a log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    pub rows: u64,
    /// When the first and the last row were written, since 1970.
    pub first: Option<Duration>,
    pub last: Option<Duration>,
}

/// How a log differs from the answered searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    pub lost: u64,
    pub doubled: u64,
    /// Rows of searches whose clients got no answer.
    pub others: u64,
}

impl LogTable {
    /// Waits until there are `expected` rows, or no more arrive.
    pub(crate) async fn settle(&self, expected: u64) -> anyhow::Result<Written> {
        let mut written = self.look().await?;
        let mut looks_left = LOOKS_WITHOUT_CHANGE;
        while self.grows() && written.rows < expected && looks_left > 0 {
            sleep(POLL_INTERVAL).await;
            let now = self.look().await?;
            looks_left = if now.rows == written.rows { looks_left - 1 } else { LOOKS_WITHOUT_CHANGE };
            written = now;
        }
        Ok(written)
    }

    fn grows(&self) -> bool {
        !matches!(self, Self::None | Self::Jobs { .. })
    }

    async fn look(&self) -> anyhow::Result<Written> {
        const OURS: &str =
            "select count(*), coalesce(min(recorded_at_ms), 0), coalesce(max(recorded_at_ms), 0) from log";
        const BEHIND: &str = "select count(*), coalesce(min(recorded_at_ms), 0), coalesce(max(recorded_at_ms), 0) \
                              from log where id > $1";
        const BASELINE: &str = "select count(*), cast(coalesce(min(unixepoch(ts, 'subsec')), 0) * 1000 as integer), \
                                cast(coalesce(max(unixepoch(ts, 'subsec')), 0) * 1000 as integer) from log";
        let (rows, first_ms, last_ms): (i64, i64, i64) = match self {
            Self::None | Self::Jobs { .. } => (0, 0, 0),
            Self::Sqlite { file, after } => {
                sqlx::query_as(BEHIND).bind(after).fetch_one(&mut open(file).await?).await?
            }
            Self::Baseline(file) => sqlx::query_as(BASELINE).fetch_one(&mut open(file).await?).await?,
            Self::Postgres(url) => sqlx::query_as(OURS).fetch_one(&mut PgConnection::connect(url).await?).await?,
        };
        let time = |ms: i64| (rows > 0).then(|| Duration::from_millis(ms.unsigned_abs()));
        Ok(Written { rows: rows.unsigned_abs(), first: time(first_ms), last: time(last_ms) })
    }

    /// Compares the log with the ids of the answered searches, one per line. A baseline's rows have no ids and are only
    /// counted.
    pub(crate) async fn differences(&self, ids: &Path) -> anyhow::Result<Differences> {
        let asked = std::fs::read_to_string(ids)?;
        let mut rows: HashMap<&str, u64> = asked.lines().map(|id| (id, 0)).collect();
        let found: Vec<String> = match self {
            Self::None => return Ok(Differences::default()),
            Self::Baseline(_) => {
                let (there, answered) = (self.look().await?.rows, rows.len() as u64);
                let (lost, others) = (answered.saturating_sub(there), there.saturating_sub(answered));
                return Ok(Differences { lost, doubled: 0, others });
            }
            Self::Sqlite { file, after } => {
                let select = sqlx::query_scalar("select search_id from log where id > $1").bind(after);
                select.fetch_all(&mut open(file).await?).await?
            }
            Self::Jobs { file, after } => {
                let select = "select key from job where id > $1 and kind = 'log_request'";
                sqlx::query_scalar(select).bind(after).fetch_all(&mut open(file).await?).await?
            }
            Self::Postgres(url) => {
                let select = sqlx::query_scalar("select search_id from log");
                select.fetch_all(&mut PgConnection::connect(url).await?).await?
            }
        };
        let mut differences = Differences::default();
        for id in &found {
            match rows.get_mut(id.as_str()) {
                Some(count) => *count += 1,
                None => differences.others += 1,
            }
        }
        for count in rows.into_values() {
            differences.lost += u64::from(count == 0);
            differences.doubled += u64::from(count > 1);
        }
        Ok(differences)
    }
}

/// Opens it read-only, beside its owner.
pub(crate) async fn open(file: &Path) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(Duration::from_secs(30));
    SqliteConnection::connect_with(&options).await.with_context(|| format!("{} cannot be opened", file.display()))
}
