//! A run's figures.

use api::{DatabaseSpec, LabSpec, PoolSummary};
use leptos::prelude::*;

use crate::lab::feed::RunFeed;
use crate::lab::figures::Figures;
use crate::lab::{failures, span};
use crate::wording::number;

/// What it is, how much, and a remark.
type Tile = (&'static str, String, String);

#[component]
pub fn RunTiles(feed: RunFeed) -> impl IntoView {
    let tiles = move || {
        let run = feed.run.get();
        let now_us = feed.now_us.get();
        feed.trace.with(|trace| {
            let figures = Figures::of(&run, trace, now_us);
            match &run.spec {
                LabSpec::Fetch(_) => {
                    let mut tiles = of_items(&figures, "requests");
                    tiles.push(("Failed", number(figures.failed), failures::line(&failures::by_kind(&trace.items))));
                    tiles.push(speed_up(&figures));
                    tiles
                }
                LabSpec::Database(_) => {
                    let mut tiles = of_items(&figures, "tasks");
                    tiles.extend(of_pool(run.summary.as_ref().and_then(|summary| summary.pool), &trace.pool));
                    tiles
                }
                LabSpec::Request(spec) => vec![
                    elapsed(&figures),
                    ("Write delay", span::set(spec.delay_ms.into()), "as slow as the log is".to_owned()),
                ],
            }
        })
    };
    let count = match feed.run.with_untracked(|run| matches!(run.spec, LabSpec::Request(_))) {
        true => 2,
        false if feed.run.with_untracked(|run| matches!(run.spec, LabSpec::Fetch(_))) => 4,
        false => 6,
    };
    // The tiles stay, and what they say changes: a clock that ticks draws nothing anew.
    let tiles = Memo::new(move |_| tiles());
    let tile = move |index: usize| {
        let part = move |choose: fn(&Tile) -> String| move || tiles.with(|tiles| tiles.get(index).map(choose));
        view! {
            <div class="lab_tile">
                <dt>{part(|tile| tile.0.to_owned())}</dt>
                <dd>{part(|tile| tile.1.clone())}</dd>
                <dd class="lab_tile_remark">{part(|tile| tile.2.clone())}</dd>
            </div>
        }
    };
    view! { <dl class="lab_tiles" data-count=count.to_string()>{(0..count).map(tile).collect_view()}</dl> }
}

fn elapsed(figures: &Figures) -> Tile {
    ("Elapsed", span::measured(figures.elapsed_us), String::new())
}

fn of_items(figures: &Figures, things: &str) -> Vec<Tile> {
    let cancelled = match figures.cancelled {
        0 => String::new(),
        cancelled => format!("{} cancelled", number(cancelled)),
    };
    let total = if figures.total == 0 { String::new() } else { format!("of {} {things}", number(figures.total)) };
    let remark = [total, cancelled].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    vec![elapsed(figures), ("Done", number(figures.done), remark)]
}

fn speed_up(figures: &Figures) -> Tile {
    let times = span::times(figures.work_us, figures.elapsed_us).unwrap_or_else(|| "–".to_owned());
    ("Speed-up", times, format!("{} of waiting, one by one", span::measured(figures.work_us)))
}

/// As the summary has it; until there is one, as the events tell.
fn of_pool(summary: Option<PoolSummary>, told: &[(u64, u32, u32, u32)]) -> Vec<Tile> {
    let most_in_use = told.iter().map(|told| told.1).max().unwrap_or_default();
    let most_waiting = told.iter().map(|told| told.3).max().unwrap_or_default();
    let max = summary.map_or(DatabaseSpec::CONNECTIONS, |pool| pool.max);
    let text = |of: fn(PoolSummary) -> String| summary.map_or_else(|| "–".to_owned(), of);
    vec![
        (
            "Most in use",
            number(summary.map_or(most_in_use, |pool| pool.most_in_use).into()),
            format!("of {max} connections"),
        ),
        (
            "Longest wait",
            text(|pool| span::measured(pool.longest_wait_us)),
            format!("at most {} waited", number(summary.map_or(most_waiting, |pool| pool.most_waiting).into())),
        ),
        ("Leaked", text(|pool| number(pool.leaked.into())), "connections not given back".to_owned()),
        ("Refused", text(|pool| number(pool.refused.into())), "too many connections, or locked".to_owned()),
    ]
}
