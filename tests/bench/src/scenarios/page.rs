//! The log's page, in Chromium, on a long history.

mod arrivals;
mod view;

use std::time::Duration;

use ::tests::server_process::Installation;
use anyhow::{Context, ensure};

use crate::contestant::{Contestant, RunningContestant};
use crate::context::BenchContext;
use crate::history::History;
use crate::log_table::LogTable;
use crate::measurements::{Kind, Measurements};
use crate::scenarios::page::arrivals::{Arrived, arrive, newest};
use crate::scenarios::page::view::View;
use crate::scenarios::{Scenario, rounds_of};

const NAME: &str = "page";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "The log's page",
    method: "`/viewlog` on 10 million rows in Chromium without a window, of 1920 by 1080 pixels, which draws by the \
             processor; it has been there before, so that files come from its cache. A row counts when it is painted. \
             Frames are those of `requestAnimationFrame` while the page scrolls by 40 pixels each. Jumps (`?at=`) and filters \
             (`?q=row:`) go to ten rows all over the log; the slowest counts, to the next frame. Memory is that after a \
             collection: objects of JavaScript, and what WebAssembly has taken. In the last round 1,000 new rows a second \
             come in; the newest 10,000 of them are then looked for by scrolling, and growth is what the page holds more \
             at the end than after half of the time.",
    promises: &[],
    plots: &[],
    lasts: |context| rounds_of(context, context.measured.as_secs() + 25) + arrival_time(context),
    measure: |context, measurements| Box::pin(measure(context, measurements)),
};

const NAVIGATION: Kind = ("navigation to first row", "ms");
pub(crate) const REQUEST: Kind = ("request to first row", "ms");
pub(crate) const ROWS: Kind = ("most rows in the page", "");
pub(crate) const FRAMES: Kind = ("frames while scrolling", "/s");
pub(crate) const P99: Kind = ("from frame to frame, p99", "ms");
pub(crate) const JUMP: Kind = ("slowest jump", "ms");
pub(crate) const FILTER: Kind = ("slowest filter", "ms");
pub(crate) const OBJECTS: Kind = ("memory, JavaScript", "MiB");
pub(crate) const WASM: Kind = ("memory, WebAssembly", "MiB");
pub(crate) const ARRIVING: Kind = ("new rows came for", "s");
pub(crate) const MISSING: Kind = ("new rows missing", "");
const BEHIND: Kind = ("last row behind its search", "ms");
pub(crate) const OBJECTS_GROWTH: Kind = ("growth, JavaScript", "MiB");
pub(crate) const WASM_GROWTH: Kind = ("growth, WebAssembly", "MiB");

/// As fast as continuous scrolling with a wheel.
const PIXELS_A_FRAME: u32 = 40;
/// WebDriver gives up on a script after 30 s.
const LONGEST_SCROLL: Duration = Duration::from_secs(10);
const PLACES: i64 = 10;
/// With `--long`.
const LONG: Duration = Duration::from_secs(600);

fn arrival_time(context: &BenchContext) -> Duration {
    if context.is_long { LONG } else { context.measured }
}

async fn measure(context: &BenchContext, measurements: &mut Measurements) -> anyhow::Result<()> {
    let data = History::LONG.copy(context).await?;
    let installation = Installation::new().with_data(data.path());
    let log = LogTable::Sqlite { file: installation.database(), after: 0 };
    let newest_row = newest(&log).await?;
    let running = RunningContestant::ours(installation, None, log, &[]).await?.behind(newest_row);
    let who = Contestant::OursSqlite.name();
    for round in 0..context.rounds {
        context.progress(round, who);
        let view = View::open(running.server().context("ours")?, round == 0).await;
        look(context, measurements, &view, newest_row).await?;
        if round + 1 == context.rounds {
            watch(context, measurements, &running, &view, newest_row).await?;
        }
        view.close().await;
        eprintln!("done");
    }
    running.stop().await
}

/// The measurements without new rows.
async fn look(
    context: &BenchContext,
    measurements: &mut Measurements,
    view: &View,
    newest_row: i64,
) -> anyhow::Result<()> {
    let who = Contestant::OursSqlite.name();
    let mut add = |kind, value| measurements.add(NAME, who, kind, value);
    let first = view.first_row().await?;
    add(REQUEST, first.request);
    add(NAVIGATION, first.navigation);
    let scrolled = view.scroll(context.measured.min(LONGEST_SCROLL), PIXELS_A_FRAME).await?;
    ensure!(scrolled.top > 0.0, "the log does not scroll");
    let pace = Pace::of(scrolled.frames).context("frames are drawn")?;
    add(ROWS, scrolled.rows.into());
    add(FRAMES, pace.rate);
    add(P99, pace.p99_ms);
    for (kind, parameter, is_alone) in [(JUMP, "at=", false), (FILTER, "q=row%3A", true)] {
        match slowest(view, parameter, is_alone, newest_row).await? {
            Some(ms) => measurements.add(NAME, who, kind, ms),
            None => measurements.note(NAME, kind.0, "not measured: the page does not show the row that was asked for"),
        }
    }
    let memory = view.memory().await?;
    measurements.add(NAME, who, OBJECTS, memory.objects);
    measurements.add(NAME, who, WASM, memory.wasm);
    Ok(())
}

/// The slowest of ten jumps across the log; `None` if one of the rows is not shown.
async fn slowest(view: &View, parameter: &str, is_alone: bool, newest_row: i64) -> anyhow::Result<Option<f64>> {
    let mut slowest: Option<f64> = None;
    for place in 0..PLACES {
        // Alternates between the ends, so that no jump is to a place near the previous one.
        let place = if place % 2 == 0 { place } else { PLACES - place };
        let row = newest_row / PLACES * place + newest_row / PLACES / 2;
        let Some(ms) = view.go(&format!("?{parameter}{row}"), row, is_alone).await? else { return Ok(None) };
        slowest = Some(slowest.map_or(ms, |slowest| slowest.max(ms)));
    }
    Ok(slowest)
}

/// The measurements while new rows arrive.
async fn watch(
    context: &BenchContext,
    measurements: &mut Measurements,
    running: &RunningContestant,
    view: &View,
    newest_row: i64,
) -> anyhow::Result<()> {
    view.first_row().await?;
    let time = arrival_time(context);
    eprint!("{} s of new rows ... ", time.as_secs());
    let Arrived { rows, behind, missing, growth } = arrive(running, view, newest_row, time).await?;
    let mut add = |kind, value| measurements.add(NAME, Contestant::OursSqlite.name(), kind, value);
    add(ARRIVING, time.as_secs_f64());
    add(MISSING, missing as f64);
    add(BEHIND, behind.as_secs_f64() * 1000.0);
    add(OBJECTS_GROWTH, growth.objects);
    add(WASM_GROWTH, growth.wasm);
    eprint!("{rows} rows, {missing} missing, ");
    Ok(())
}

/// A summary of the times between frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Frames per second, from the median time.
    pub rate: f64,
    /// 99 of 100 frames follow within this time, in milliseconds.
    pub p99_ms: f64,
}

impl Pace {
    /// `None` without frames.
    pub(super) fn of(mut times_ms: Vec<f64>) -> Option<Self> {
        times_ms.sort_by(f64::total_cmp);
        let at = |percent: usize| times_ms.get((times_ms.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Self { rate: 1000.0 / at(50)?, p99_ms: at(99)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_frame_in_fifty_changes_only_the_p99() {
        let mut times = vec![20.0; 50];
        times[7] = 90.0;
        assert_eq!(Pace::of(times), Some(Pace { rate: 50.0, p99_ms: 90.0 }));
        assert_eq!(Pace::of(vec![20.0; 200]), Some(Pace { rate: 50.0, p99_ms: 20.0 }));
        assert_eq!(Pace::of(Vec::new()), None);
    }
}
