//! What a run shows, as far as its own figures show it.

use api::{
    DatabaseSpec, FetchSpec, JobState, LabRun, LabSpec, LabStyle, LabSummary, LabTrace, Lane, LaneStep, LaneTrace,
};
use leptos::prelude::*;

use crate::lab::figures::one_by_one_us;
use crate::lab::ratio::Ratio;
use crate::lab::stream::RunStream;
use crate::lab::words;
use crate::lab::words::{database, fetch, trap};
use crate::ui::format::{measured, number};

#[component]
pub fn Takeaway(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="takeaway" aria-labelledby="takeaway-title">
            <h2 id="takeaway-title">{title}</h2>
            <p>{children()}</p>
        </section>
    }
}

/// The rule that the trap teaches.
#[component]
pub fn Rule() -> impl IntoView {
    view! { <strong class="trap_rule">{words::TRAP_RULE}</strong> }
}

/// Shown once the run is done.
#[component]
pub fn RunTakeaway(stream: RunStream) -> impl IntoView {
    let text = Memo::new(move |_| stream.run.with(|run| stream.trace.with(|trace| shows(run, trace))));
    // Until then its place is kept, so that nothing below moves.
    let is_open = Memo::new(move |_| stream.run.with(|run| !run.state.is_final()));
    let is_trap = stream.run.with_untracked(|run| matches!(run.spec, LabSpec::Request(_)));
    move || {
        let text = text.get().or_else(|| is_open.get().then(|| words::SHOWS_LATER.to_owned()));
        let rule = is_trap.then(|| view! { <Rule /> });
        text.map(|text| view! { <Takeaway title=words::WHAT_THIS_SHOWS>{text}{rule}</Takeaway> })
    }
}

fn shows(run: &LabRun, trace: &LabTrace) -> Option<String> {
    let summary = run.summary.as_ref().filter(|_| run.state == JobState::Done)?;
    Some(match &run.spec {
        LabSpec::Fetch(spec) => of_fetch(spec, summary),
        LabSpec::Database(spec) => of_database(spec, summary),
        LabSpec::Request(_) => return of_trap(trace),
    })
}

fn of_fetch(spec: &FetchSpec, summary: &LabSummary) -> String {
    if summary.done == 0 {
        return fetch::NONE_ANSWERED.to_owned();
    }
    // As the tiles above say it.
    let (elapsed, work) = (measured(summary.elapsed_us), measured(summary.work_us));
    let one_by_one_us = one_by_one_us(spec);
    let one_by_one = words::brief(one_by_one_us);
    let is_faster = Ratio::of(one_by_one_us, summary.elapsed_us).is_some_and(Ratio::is_faster);
    let sentence = if is_faster { fetch::side_by_side } else { fetch::no_faster };
    let side_by_side = |waits: &str| sentence(waits, &elapsed, &one_by_one);
    let sentence = match spec.style {
        LabStyle::Sequential => fetch::in_sequence(&words::things(spec), &elapsed, &work),
        LabStyle::Threads | LabStyle::Futures => {
            side_by_side(&fetch::threads_wait(spec.workers, spec.workers.min(spec.count)))
        }
        LabStyle::Async => side_by_side(&fetch::one_thread_waits(spec.count)),
    };
    let failed = (summary.failed > 0).then(|| fetch::some_failed(summary.failed));
    [Some(sentence), failed].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn of_database(spec: &DatabaseSpec, summary: &LabSummary) -> String {
    let tasks = u64::from(spec.batches) * u64::from(spec.tasks_per_batch);
    let Some(pool) = summary.pool else { return number(tasks) };
    let mut sentences = vec![database::shared(tasks, pool.max, pool.most_in_use)];
    if pool.most_waiting > 0 {
        sentences.push(database::waited(pool.most_waiting, &measured(pool.longest_wait_us)));
    }
    sentences.push(match pool.leaked {
        0 => database::all_came_back(summary.failed),
        leaked => database::leaked(leaked),
    });
    sentences.extend((pool.refused > 0).then(|| database::refused(pool.refused)));
    sentences.join(" ")
}

fn of_trap(trace: &LabTrace) -> Option<String> {
    let lanes = Lane::ALL.iter().filter_map(|lane| trace.lanes.iter().find(|known| known.lane == *lane));
    let sentences = lanes.filter_map(of_lane).collect::<Vec<_>>();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn of_lane(lane: &LaneTrace) -> Option<String> {
    let waited = lane.time(LaneStep::Answered)?.saturating_sub(lane.time(LaneStep::Sent)?);
    let has_row = lane.time(LaneStep::RowThere).is_some();
    Some(match (lane.lane, has_row) {
        (Lane::Awaited, true) => trap::shows_awaited(waited),
        (Lane::BareTask, false) => trap::shows_lost(waited),
        (Lane::Job, true) => trap::shows_survived(waited),
        (lane, true) => trap::shows_unexpected(trap::lane(lane)[0], waited, trap::ROW_ARRIVED_ANYWAY),
        (lane, false) => trap::shows_unexpected(trap::lane(lane)[0], waited, trap::ROW_MISSING),
    })
}

#[cfg(test)]
mod tests {
    use api::PoolSummary;

    use super::*;
    use crate::ui::format::plain;

    fn summary(elapsed_ms: u64, work_ms: u64, done: u32, failed: u32) -> LabSummary {
        LabSummary { elapsed_us: elapsed_ms * 1_000, work_us: work_ms * 1_000, done, failed, ..LabSummary::default() }
    }

    #[test]
    fn a_run_of_requests_says_who_waited() {
        let text = |style, summary| plain(of_fetch(&FetchSpec { style, workers: 4, ..FetchSpec::FIRST }, &summary));
        assert_eq!(
            text(LabStyle::Sequential, summary(20_030, 20_010, 10, 0)),
            "Each request waited for the one before it: the waits of 10 requests add up to 20.01 s, and took 20.03 s."
        );
        let threads = text(LabStyle::Threads, summary(6_000, 20_000, 9, 1));
        assert!(threads.contains("4 threads waited for up to 4 answers at a time"), "{threads}");
        assert!(threads.contains("6.00 s; one by one would take 20.0 s."), "{threads}");
        assert!(threads.ends_with("1 request failed; all others were answered."), "{threads}");
        let slow = text(LabStyle::Async, summary(20_000, 20_000, 10, 0));
        assert!(slow.contains("no faster"), "{slow}");
        assert_eq!(text(LabStyle::Async, summary(5, 5, 0, 10)), fetch::NONE_ANSWERED);
    }

    #[test]
    fn a_run_with_the_database_says_whether_connections_were_lost() {
        let spec =
            DatabaseSpec { batches: 10, tasks_per_batch: 100, hold_ms: 20, failing: 5, panicking: 5, aborted: 5 };
        let pool = PoolSummary {
            max: 8,
            most_in_use: 8,
            most_waiting: 92,
            longest_wait_us: 232_000,
            ..PoolSummary::default()
        };
        let text =
            |pool| plain(of_database(&spec, &LabSummary { failed: 150, pool: Some(pool), ..LabSummary::default() }));
        assert_eq!(
            text(pool),
            "1,000 tasks shared 8 connections; at times, all 8 were in use. Up to 92 tasks waited for one, the longest \
             232 ms. 150 tasks ended badly, and every connection came back."
        );
        assert!(text(PoolSummary { most_in_use: 5, ..pool }).contains("at most 5 were in use at a time"));
        assert!(text(PoolSummary { leaked: 1, ..pool }).contains("1 connection did not come back"));
    }

    #[test]
    fn the_trap_says_what_each_way_cost() {
        let lane = |lane, steps: &[(u64, LaneStep)]| LaneTrace { lane, steps: steps.to_vec() };
        use LaneStep::{Answered, RowGone, RowThere, Sent};
        let lanes = vec![
            lane(Lane::Awaited, &[(0, Sent), (15_000_000, RowThere), (15_001_000, Answered)]),
            lane(Lane::BareTask, &[(0, Sent), (1_400, Answered), (17_000_000, RowGone)]),
            lane(Lane::Job, &[(0, Sent), (4_000, Answered), (16_000_000, RowThere)]),
        ];
        let text = plain(of_trap(&LabTrace { lanes, ..LabTrace::default() }).unwrap_or_default());
        for part in
            ["cost the visitor 15.0 s.", "answered in 1.4 ms, and the kill took", "answered in 4.0 ms, and the next"]
        {
            assert!(text.contains(part), "{part:?} in {text:?}");
        }
        let lost = lane(Lane::Job, &[(0, Sent), (4_000, Answered), (16_000_000, RowGone)]);
        assert!(of_lane(&lost).is_some_and(|text| text.contains(trap::ROW_MISSING)));
    }
}
