//! The runs so far, compared.

use api::{LabRun, LabSpec};
use leptos::prelude::*;

use crate::lab::words::{labels, run as words};
use crate::platform::url;
use crate::ui::badge::StateBadge;
use crate::ui::format::{TimeAgo, measured};

#[component]
pub fn RunTable(runs: Memo<Vec<LabRun>>) -> impl IntoView {
    let compared = Memo::new(move |_| runs.with(|runs| compare(runs)));
    let is_empty = Memo::new(move |_| compared.with(Vec::is_empty));
    view! {
        <section class="run_section" aria-labelledby="runs-title">
            <h2 id="runs-title">{words::LATEST_RUNS}</h2>
            <Show when=move || !is_empty.get() fallback=|| view! { <p class="muted">{words::NO_RUN}</p> }>
                <div class="card card-flush">
                    <table class="table run_table">
                        <thead>
                            <tr>
                                <th scope="col">{words::RUN}</th>
                                <th scope="col">{words::STATE}</th>
                                <th scope="col">{words::ELAPSED}</th>
                                <th scope="col">{words::ASKED}</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=move || compared.get()
                                key=|compared| compared.run.id
                                children=move |run| view! { <RunRow run compared /> }
                            />
                        </tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

/// A row keeps its elements while its run continues, so that its link keeps the focus.
#[component]
fn RunRow(run: ComparedRun, compared: Memo<Vec<ComparedRun>>) -> impl IntoView {
    let (id, title, created_at) = (run.run.id, labels::title(&run.run.spec), run.run.created_at);
    let current = Memo::new(move |_| {
        compared.with(|compared| compared.iter().find(|row| row.run.id == id).cloned()).unwrap_or_else(|| run.clone())
    });
    let state = Memo::new(move |_| current.with(|row| row.run.state));
    let time = move || current.with(|row| elapsed(&row.run)).map_or_else(|| "–".to_owned(), measured);
    let failed = move || current.with(|row| failed(&row.run));
    view! {
        <tr>
            <th class="run_name" scope="row"><a class="row_link" href=url::of_lab_run(id)>{title}</a></th>
            <td class="run_state">
                {move || view! { <StateBadge state=state.get() /> }}
                <span class="muted run_failed">
                    {move || (failed() > 0).then(|| words::failures(failed()))}
                </span>
            </td>
            <td class="run_elapsed">
                <span class="run_bar"><span class="run_bar_done" style:width=move || current.with(width)></span></span>
                <span class="run_bar_text">{time}</span>
            </td>
            <td class="run_started"><TimeAgo time=created_at /></td>
        </tr>
    }
}

/// In the trap, the lost row is what is shown.
fn failed(run: &LabRun) -> u32 {
    let summary = run.summary.as_ref().filter(|_| !matches!(run.spec, LabSpec::Request(_)));
    summary.map_or(0, |summary| summary.failed)
}

fn width(run: &ComparedRun) -> String {
    format!("{}.{}%", run.thousandths / 10, run.thousandths % 10)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRun {
    pub run: LabRun,
    /// Its elapsed time in thousandths of the longest.
    pub thousandths: u64,
}

/// `runs` in the same order, each compared with the others.
pub fn compare(runs: &[LabRun]) -> Vec<ComparedRun> {
    let longest = runs.iter().filter_map(elapsed).max().unwrap_or_default().max(1);
    let thousandths = |run| elapsed(run).map_or(0, |elapsed| elapsed.saturating_mul(1_000) / longest);
    runs.iter().map(|run| ComparedRun { run: run.clone(), thousandths: thousandths(run) }).collect()
}

fn elapsed(run: &LabRun) -> Option<u64> {
    run.summary.as_ref().map(|summary| summary.elapsed_us)
}

#[cfg(test)]
mod tests {
    use api::{FetchSpec, JobId, JobState, LabRunId, LabStyle, LabSummary, RequestSpec, TimeMs};

    use super::*;

    fn run(style: LabStyle, elapsed_ms: Option<u64>) -> LabRun {
        LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Fetch(FetchSpec { style, ..FetchSpec::FIRST }),
            state: JobState::Done,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 100,
            summary: elapsed_ms.map(|ms| LabSummary { elapsed_us: ms * 1_000, ..LabSummary::default() }),
            error: None,
            can_cancel: false,
        }
    }

    #[test]
    fn bars_are_shares_of_the_longest_run() {
        let runs =
            [run(LabStyle::Async, Some(2_000)), run(LabStyle::Sequential, Some(20_000)), run(LabStyle::Futures, None)];
        assert_eq!(compare(&runs).iter().map(|run| run.thousandths).collect::<Vec<_>>(), [100, 1_000, 0]);
    }

    #[test]
    fn a_row_that_the_trap_lost_is_no_failure() {
        let mut run = run(LabStyle::Async, Some(2_000));
        run.summary = Some(LabSummary { failed: 1, ..LabSummary::default() });
        assert_eq!(failed(&run), 1);
        run.spec = LabSpec::Request(RequestSpec { delay_ms: 100 });
        assert_eq!(failed(&run), 0);
    }
}
