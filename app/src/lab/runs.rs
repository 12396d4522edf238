//! The runs so far, compared.

use api::{LabRun, LabSpec};
use leptos::prelude::*;

use crate::lab::words::{labels, run as words};
use crate::platform::url;
use crate::ui::badge::StateBadge;
use crate::ui::format::{TimeAgo, measured, times};

#[component]
pub fn RunTable(runs: Memo<Vec<LabRun>>) -> impl IntoView {
    let compared = Memo::new(move |_| runs.with(|runs| compare(runs)));
    // Without anything to compare, the columns are not shown.
    let is_plain = Memo::new(move |_| {
        compared.with(|runs| runs.iter().all(|run| run.vs_one_by_one.is_none() && run.vs_slowest.is_none()))
    });
    let is_empty = Memo::new(move |_| compared.with(Vec::is_empty));
    view! {
        <section class="run_section" aria-labelledby="runs-title">
            <h2 id="runs-title">{words::LATEST_RUNS}</h2>
            <Show when=move || !is_empty.get() fallback=|| view! { <p class="muted">{words::NO_RUN}</p> }>
                <div class="card card-flush">
                    <table class="table run_table" data-plain=move || is_plain.get().then_some("")>
                        <thead>
                            <tr>
                                <th scope="col">{words::RUN}</th>
                                <th scope="col">{words::STATE}</th>
                                <th scope="col">{words::ELAPSED}</th>
                                <th class="run_times" scope="col" title=words::VS_ONE_BY_ONE_WHY>{words::VS_ONE_BY_ONE}</th>
                                <th class="run_times" scope="col" title=words::VS_SLOWEST_WHY>{words::VS_SLOWEST}</th>
                                <th scope="col">{words::STARTED}</th>
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
    let text =
        move |text: fn(&ComparedRun) -> Option<String>| move || current.with(text).unwrap_or_else(|| "–".to_owned());
    let is_none = move |is_none: fn(&ComparedRun) -> bool| move || current.with(is_none).then_some("");
    let failed = move || current.with(|row| row.run.summary.as_ref().map_or(0, |summary| summary.failed));
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
                <span class="run_bar_text">{text(|row| elapsed(&row.run).map(measured))}</span>
            </td>
            <td class="run_times run_vs_one_by_one" data-none=is_none(|run| run.vs_one_by_one.is_none())>{text(|run| run.vs_one_by_one.clone())}</td>
            <td class="run_times run_vs_slowest" data-none=is_none(|run| run.vs_slowest.is_none())>{text(|run| run.vs_slowest.clone())}</td>
            <td class="run_started"><TimeAgo time=created_at /></td>
        </tr>
    }
}

fn width(run: &ComparedRun) -> String {
    format!("{}.{}%", run.thousandths / 10, run.thousandths % 10)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedRun {
    pub run: LabRun,
    /// Its elapsed time in thousandths of the longest.
    pub thousandths: u64,
    /// How much faster than its items one by one.
    pub vs_one_by_one: Option<String>,
    /// How much faster than the slowest run with the same work.
    pub vs_slowest: Option<String>,
}

/// `runs` in the same order, each compared with the others.
pub fn compare(runs: &[LabRun]) -> Vec<ComparedRun> {
    let longest = runs.iter().filter_map(elapsed).max().unwrap_or_default().max(1);
    runs.iter().map(|run| compared(run, runs, longest)).collect()
}

fn compared(run: &LabRun, runs: &[LabRun], longest: u64) -> ComparedRun {
    let elapsed_us = elapsed(run);
    let is_fetch = matches!(run.spec, LabSpec::Fetch(_));
    let like = runs.iter().filter(|other| is_same_work(&run.spec, &other.spec)).filter_map(elapsed);
    let slowest = if is_fetch && like.clone().count() > 1 { like.max() } else { None };
    let work = run.summary.as_ref().filter(|_| is_fetch).map(|summary| summary.work_us);
    let times = |whole: Option<u64>| whole.zip(elapsed_us).and_then(|(whole, part)| times(whole, part));
    ComparedRun {
        run: run.clone(),
        thousandths: elapsed_us.map_or(0, |elapsed| elapsed.saturating_mul(1_000) / longest),
        vs_one_by_one: times(work),
        vs_slowest: times(slowest),
    }
}

fn elapsed(run: &LabRun) -> Option<u64> {
    run.summary.as_ref().map(|summary| summary.elapsed_us)
}

/// Whether two runs do the same work, in any style.
fn is_same_work(one: &LabSpec, other: &LabSpec) -> bool {
    match (one, other) {
        (LabSpec::Fetch(one), LabSpec::Fetch(other)) => {
            (one.work, one.count, one.latency_ms, one.jitter_ms)
                == (other.work, other.count, other.latency_ms, other.jitter_ms)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use api::{FetchSpec, JobId, JobState, LabRunId, LabStyle, LabSummary, TimeMs};

    use super::*;

    fn run(style: LabStyle, count: u32, elapsed_ms: Option<u64>) -> LabRun {
        LabRun {
            id: LabRunId::from_parts(1, 1),
            job: JobId(1),
            spec: LabSpec::Fetch(FetchSpec { style, count, ..FetchSpec::FIRST }),
            state: JobState::Done,
            ahead: 0,
            created_at: TimeMs(0),
            finished_at: None,
            percent: 100,
            summary: elapsed_ms.map(|ms| LabSummary {
                elapsed_us: ms * 1_000,
                work_us: 20_000_000,
                ..LabSummary::default()
            }),
            error: None,
            can_cancel: false,
        }
    }

    #[test]
    fn runs_with_the_same_work_are_compared_in_any_style() {
        let runs = [
            run(LabStyle::Async, 10, Some(2_000)),
            run(LabStyle::Sequential, 10, Some(20_000)),
            run(LabStyle::Async, 100, Some(4_000)),
        ];
        let compared = compare(&runs);
        let texts = |texts: [&Option<String>; 3]| texts.map(|text| text.clone().unwrap_or_default());
        assert_eq!(
            texts([0, 1, 2].map(|index: usize| &compared[index].vs_slowest)),
            ["10.0×", "1.0×", ""],
            "no other run does the third one's work"
        );
        assert_eq!(texts([0, 1, 2].map(|index: usize| &compared[index].vs_one_by_one)), ["10.0×", "1.0×", "5.0×"]);
        assert_eq!(compared.iter().map(|run| run.thousandths).collect::<Vec<_>>(), [100, 1_000, 200]);
    }

    #[test]
    fn an_unfinished_run_is_not_compared() {
        let compared = compare(&[run(LabStyle::Async, 10, None), run(LabStyle::Async, 10, Some(2_000))]);
        assert_eq!((elapsed(&compared[0].run), compared[0].thousandths), (None, 0));
        assert_eq!((compared[0].vs_one_by_one.clone(), compared[1].vs_slowest.clone()), (None, None));
    }
}
