//! New rows while the page is open.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;

use super::view::{Memory, View};
use crate::contestant::RunningContestant;
use crate::log_table::LogTable;
use crate::scenarios::load;

/// Rows per second.
const RATE: f64 = 1000.0;
/// How many of the newest rows are checked. The page itself does not keep them all.
const LOOKED_THROUGH: i64 = 10_000;
/// Screens per call of the script.
const SCREENS: u32 = 100;
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Time limit for the last row to appear.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) struct Arrived {
    pub rows: u64,
    /// From the end of the load until the last row was in the page.
    pub behind: Duration,
    /// How many of the newest rows the page does not show.
    pub missing: u64,
    /// How much the page's memory grew in the second half.
    pub growth: Memory,
}

/// Generates searches for this time. `after` is the newest row before them.
pub(super) async fn arrive(
    running: &RunningContestant,
    view: &View,
    after: i64,
    measured: Duration,
) -> anyhow::Result<Arrived> {
    let (loaded, middle) = tokio::join!(load(running, measured, Some(RATE)), async {
        sleep(measured / 2).await;
        view.memory().await
    });
    let (loaded, middle) = (loaded?, middle?);
    let rows = loaded.report.answered_in_all;
    let last = after + i64::try_from(rows)?;
    let ended = Instant::now();
    while !view.has(last).await {
        ensure!(ended.elapsed() < LONGEST, "row {last} is not in the page after {LONGEST:?}");
        sleep(POLL_INTERVAL).await;
    }
    let behind = ended.elapsed();
    let end = view.memory().await?;
    let growth = Memory { objects: end.objects - middle.objects, wasm: end.wasm - middle.wasm };
    let first = (last - LOOKED_THROUGH).max(after) + 1;
    Ok(Arrived { rows, behind, missing: missing(&walk(view, first).await?, first, last), growth })
}

/// All rows that appear while scrolling from the newest one to `first`, or until no more appear.
async fn walk(view: &View, first: i64) -> anyhow::Result<BTreeSet<i64>> {
    let mut seen: BTreeSet<i64> = view.walk(0, true).await?.into_iter().collect();
    while seen.first().is_none_or(|oldest| *oldest > first) {
        let before = seen.len();
        seen.extend(view.walk(SCREENS, false).await?);
        if seen.len() == before {
            break;
        }
    }
    Ok(seen)
}

fn missing(seen: &BTreeSet<i64>, first: i64, last: i64) -> u64 {
    (first..=last).filter(|row| !seen.contains(row)).count() as u64
}

/// The number of the newest row.
pub(super) async fn newest(log: &LogTable) -> anyhow::Result<i64> {
    let LogTable::Sqlite { file, .. } = log else { return Ok(0) };
    let mut connection = crate::log_table::open(file).await?;
    Ok(sqlx::query_scalar("select coalesce(max(id), 0) from log").fetch_one(&mut connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_rows_are_missing_and_older_ones_do_not_count() {
        let seen = BTreeSet::from([1, 2, 5, 6, 8]);
        assert_eq!(missing(&seen, 5, 8), 1);
        assert_eq!(missing(&seen, 5, 6), 0);
        assert_eq!(missing(&seen, 9, 10), 2);
    }
}
