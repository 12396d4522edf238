//! Small multiples: each style of a comparison as one drawing, all on one time axis.

use api::{FetchSpec, ItemState, ItemTrace, JobState, LabSpec, LabStyle, LabSummary, LabTrace};
use leptos::prelude::*;

use crate::lab::areas::AreaPlot;
use crate::lab::bars::{self, ROWS_LIMIT};
use crate::lab::comparison::{Lane, Outcome, in_style, turn};
use crate::lab::stream::RunStream;
use crate::lab::words::{brief, labels};
use crate::lab::{flight, verdict, words};
use crate::platform::url;
use crate::ui::chart::axis::{Scale, TimeAxis};
use crate::ui::chart::bars::{self as chart, Bar};
use crate::ui::chart::reading::{FiguresTable, FoldedTable};
use crate::ui::chart::steps;
use crate::ui::copy_button::CopyButton;
use crate::ui::format::number;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::words as ui_words;

/// The interval between redraws while a run is running, in microseconds.
const REDRAW_EVERY_US: u64 = 50_000;

/// Without streams it is a sketch of what to expect.
#[component]
pub fn Multiples(
    spec: FetchSpec,
    lanes: Memo<Vec<Lane>>,
    streams: Vec<RunStream>,
    /// Whether the form describes other work by now.
    #[prop(into)]
    is_old: Signal<bool>,
    /// The address that shows it again.
    #[prop(optional)]
    link: Option<String>,
    /// What it shows, in words.
    children: Children,
) -> impl IntoView {
    let expected_us = expected_us(&spec);
    let has_run = !streams.is_empty();
    let followed = streams.clone();
    let has_expected = Memo::new(move |_| !has_run || lanes.with(|lanes| lanes.iter().any(Lane::is_expected)));
    let scale = Memo::new(move |_| {
        let is_open = has_expected.get();
        let end_us = followed.iter().map(|stream| end(*stream)).max().unwrap_or_default();
        if is_open { Scale::growing(end_us, expected_us) } else { Scale::to(end_us) }
    });
    let rows = LabStyle::ALL.iter().map(|&style| {
        let stream = of_style(&streams, style);
        view! { <StyleLane spec=in_style(&spec, style) stream lanes scale /> }
    });
    let rows = rows.collect_view();
    let has_areas = spec.count as usize > ROWS_LIMIT;
    // A sample stands for what is drawn somewhere, and can be seen there.
    let drawn = streams.clone();
    let has_drawn = move |is_drawn: fn(&RunStream, &LabTrace, Scale) -> bool| {
        let drawn = drawn.clone();
        let any = move || drawn.iter().any(|stream| stream.trace.with(|trace| is_drawn(stream, trace, scale.get())));
        Memo::new(move |_| any())
    };
    let has_work = has_drawn.clone()(|_, trace, _| trace.items.iter().any(|item| item.started_us.is_some()));
    // The line of a request that will wait is drawn from the first moment, however short it still is.
    let has_waits = has_drawn(|stream, trace, scale| {
        let waits = |item: &ItemTrace| item.state == ItemState::Pending && stream.is_running();
        trace.items.iter().any(|item| waits(item) || is_wide(bars::waited(item, trace.latest_us), scale))
    });
    let shown = words::shown(&labels::requests(&spec));
    let has_failed = Memo::new(move |_| lanes.with(|lanes| lanes.iter().any(has_failed)));
    view! {
        <section
            class="card multiples"
            aria-label=words::SIDE_BY_SIDE
            data-areas=has_areas.then_some("")
            data-old=move || is_old.get().then_some("")
        >
            <div class="multiples_axis">
                {move || is_old.get().then(|| view! { <p class="shown_work">{shown.clone()}</p> })}
                <TimeAxis scale />
            </div>
            <ol class="multiples_list">{rows}</ol>
            <ul class="bar_legend" aria-hidden="true">
                {has_areas.then(|| view! { <li>{words::Y_AXIS}</li> })}
                {move || has_expected.get().then(|| view! {
                    <li><span class="bar_sample" data-bar="expected"></span>{words::EXPECTED}</li>
                })}
                {move || has_waits.get().then(|| view! {
                    <li><span class="bar_sample" data-bar="wait"></span>{words::NOT_BEGUN}</li>
                })}
                {move || has_work.get().then(|| view! {
                    <li><span class="bar_sample" data-bar="work"></span>{words::WAITING_FOR_ANSWER}</li>
                })}
                {move || has_failed.get().then(|| view! {
                    <li><span class="bar_sample" data-bar="failed"></span>{words::FAILED}</li>
                })}
            </ul>
            {children()}
            {has_run.then(|| view! {
                <div class="multiples_foot">
                    <LaneTable lanes streams />
                    {link.map(|link| view! { <CopyButton label=words::COPY_LINK symbol=Symbol::Link text=link /> })}
                </div>
            })}
        </section>
    }
}

pub fn of_style(streams: &[RunStream], style: LabStyle) -> Option<RunStream> {
    streams.iter().copied().find(|stream| {
        stream.run.with_untracked(|run| matches!(&run.spec, LabSpec::Fetch(spec) if spec.style == style))
    })
}

/// Whether a line of this length can be seen.
fn is_wide(us: u64, scale: Scale) -> bool {
    scale.share(us) > 0.01
}

/// The longest time that one of the styles takes at least.
fn expected_us(spec: &FetchSpec) -> u64 {
    let specs = LabStyle::ALL.iter().map(|&style| in_style(spec, style));
    let short = specs.filter(|spec| LabSpec::Fetch(spec.clone()).check().is_ok());
    short.map(|spec| spec.min_duration_ms() * 1_000).max().unwrap_or_default()
}

/// Until when there is something to draw.
fn end(stream: RunStream) -> u64 {
    if stream.is_running() {
        return stream.now_us.get();
    }
    let elapsed = stream.run.with(|run| run.summary.as_ref().map(|summary| summary.elapsed_us));
    stream.trace.with(bars::end).max(elapsed.unwrap_or_default())
}

#[component]
fn StyleLane(
    spec: FetchSpec,
    /// `None` if the style has not been run.
    stream: Option<RunStream>,
    lanes: Memo<Vec<Lane>>,
    scale: Memo<Scale>,
) -> impl IntoView {
    let (style, count, least_us) = (spec.style, spec.count, spec.min_duration_ms() * 1_000);
    let lane = Memo::new(move |_| lanes.with(|lanes| lanes.iter().find(|lane| lane.style == style).cloned()));
    let outcome = Memo::new(move |_| lane.with(|lane| lane.as_ref().map(|lane| lane.outcome.clone())));
    let name = words::style_name(style);
    let heading = match stream.map(|stream| stream.run.with_untracked(|run| run.id)) {
        Some(id) => view! { <a href=url::of_lab_run(id)>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    let time = move || match outcome.get() {
        Some(Outcome::Ended(summary)) => brief(summary.elapsed_us),
        Some(Outcome::Running) => brief(stream.map_or(0, |stream| stream.now_us.get())),
        None => brief(least_us),
        Some(Outcome::TooLong(_) | Outcome::Missing) => words::NOT_RUN.to_owned(),
        Some(Outcome::Stopped { state: JobState::Dead, .. }) => words::FAILED.to_owned(),
        Some(Outcome::Stopped { .. }) => words::STOPPED.to_owned(),
        Some(Outcome::Waiting(_)) => "–".to_owned(),
    };
    let remark = move || {
        let lane = lane.get();
        match lane.as_ref().map(|lane| &lane.outcome) {
            None => words::EXPECTED.to_owned(),
            Some(Outcome::Ended(summary)) => {
                let versus = lane.as_ref().and_then(|lane| lanes.with(|lanes| verdict::versus(lanes, lane)));
                let failed = (summary.failed > 0).then(|| words::failed(summary.failed));
                versus.into_iter().chain(failed).collect::<Vec<_>>().join(", ")
            }
            Some(Outcome::Running) => words::progress(stream.map_or(0, |stream| stream.trace.with(ended)), count),
            // Those before it are part of the picture.
            Some(Outcome::Waiting(ahead)) => match lanes.with(|lanes| turn(lanes, style)) {
                Some(turn) if turn.is_next => words::NEXT.to_owned(),
                Some(turn) => words::turn(turn.position, turn.total),
                None => words::ahead(*ahead),
            },
            Some(Outcome::TooLong(_) | Outcome::Missing | Outcome::Stopped { .. }) => String::new(),
        }
    };
    let phase = move || match outcome.get() {
        Some(Outcome::Ended(_)) => "ended",
        Some(Outcome::Running) => "running",
        Some(Outcome::Stopped { .. }) => "stopped",
        _ => "none",
    };
    // Why nothing is drawn.
    let reason = move || match outcome.get() {
        Some(Outcome::TooLong(least_ms)) => Some(words::would_take(least_ms)),
        Some(Outcome::Missing) => Some(words::DELETED.to_owned()),
        Some(Outcome::Stopped { state, error }) if !stream.is_some_and(has_drawing) => Some(match state {
            JobState::Dead => words::failed_before(error.as_deref()),
            _ => words::CANCELLED_BEFORE.to_owned(),
        }),
        _ => None,
    };
    let plot = if count as usize > ROWS_LIMIT {
        view! { <AreaPlot spec=spec.clone() stream scale /> }.into_any()
    } else {
        view! { <BarPlot spec=spec.clone() stream scale /> }.into_any()
    };
    view! {
        <li class="multiple" data-phase=phase data-style=style.as_str()>
            <div class="multiple_name">
                <h3>
                    {heading}
                    {move || (phase() == "running").then(|| view! { <Icon symbol=Symbol::State(JobState::Running) /> })}
                </h3>
                <p>{words::style_way(&spec)}</p>
            </div>
            <div class="multiple_plot">
                {plot}
                {move || reason().map(|reason| view! { <p class="multiple_reason"><span>{reason}</span></p> })}
            </div>
            <p class="multiple_result"><strong>{time}</strong>" "<small>{remark}</small></p>
        </li>
    }
}

fn has_drawing(stream: RunStream) -> bool {
    stream.trace.with(|trace| !trace.items.is_empty())
}

fn has_failed(lane: &Lane) -> bool {
    matches!(&lane.outcome, Outcome::Ended(summary) if summary.failed > 0)
}

fn ended(trace: &LabTrace) -> usize {
    [ItemState::Done, ItemState::Failed, ItemState::Cancelled].into_iter().map(|state| trace.count(state)).sum()
}

#[component]
fn BarPlot(spec: FetchSpec, stream: Option<RunStream>, scale: Memo<Scale>) -> impl IntoView {
    let rows = spec.count.max(1) as usize;
    let sketch = expected(&spec);
    let expected = move || {
        let is_over = stream.is_some_and(RunStream::has_run_to_its_end);
        if is_over { String::new() } else { chart::path(sketch.iter().copied(), scale.get()) }
    };
    let now_us = Memo::new(move |_| {
        let Some(stream) = stream else { return 0 };
        let now_us = stream.now_us.get();
        if stream.is_running() { now_us / REDRAW_EVERY_US * REDRAW_EVERY_US } else { now_us }
    });
    let path = move |bars: fn(&LabTrace, u64) -> Vec<Bar>| {
        move || {
            let bars = stream.map(|stream| stream.trace.with(|trace| bars(trace, now_us.get())));
            chart::path(bars.unwrap_or_default().into_iter(), scale.get())
        }
    };
    view! {
        <svg
            class="bar_plot"
            viewBox=format!("0 0 {} {rows}", chart::WIDTH)
            preserveAspectRatio="none"
            aria-hidden="true"
            style:height=format!("{}px", chart::height(rows))
        >
            <path data-bar="expected" d=expected />
            <path data-bar="wait" d=path(waits) />
            <path data-bar="work" d=path(|trace, now_us| worked(trace, now_us, Answer::Good)) />
            <path data-bar="failed" d=path(|trace, now_us| worked(trace, now_us, Answer::Failed)) />
        </svg>
    }
}

/// How many requests wait for their answers at a time.
pub fn at_a_time(spec: &FetchSpec) -> u32 {
    let at_most = match spec.style {
        LabStyle::Sequential => 1,
        LabStyle::Threads | LabStyle::Futures => spec.workers,
        LabStyle::Async => spec.count,
    };
    at_most.clamp(1, spec.count.max(1))
}

/// What would happen if each answer came exactly when it should.
fn expected(spec: &FetchSpec) -> Vec<Bar> {
    let at_a_time = at_a_time(spec);
    let latency_us = u64::from(spec.latency_ms) * 1_000;
    let bar = |item: u32| {
        let from_us = u64::from(item / at_a_time) * latency_us;
        Bar { row: item as usize, from_us, to_us: from_us + latency_us }
    };
    (0..spec.count).map(bar).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Good,
    Failed,
}

fn worked(trace: &LabTrace, now_us: u64, answer: Answer) -> Vec<Bar> {
    let items = trace.items.iter().enumerate();
    let wanted = items.filter(|(_, item)| (item.state == ItemState::Failed) == (answer == Answer::Failed));
    let bars = wanted.filter_map(|(row, item)| {
        let (from_us, to_us) = bars::worked(item, now_us)?;
        Some(Bar { row, from_us, to_us })
    });
    bars.collect()
}

fn waits(trace: &LabTrace, now_us: u64) -> Vec<Bar> {
    let items = trace.items.iter().enumerate();
    items.map(|(row, item)| Bar { row, from_us: 0, to_us: bars::waited(item, now_us) }).collect()
}

#[component]
fn LaneTable(lanes: Memo<Vec<Lane>>, streams: Vec<RunStream>) -> impl IntoView {
    let streams = StoredValue::new(streams);
    let row = move |lane: &Lane| {
        let none = || "–".to_owned();
        let summary = match &lane.outcome {
            Outcome::Ended(summary) => Some(summary),
            _ => None,
        };
        let count = |of: fn(&LabSummary) -> u32| summary.map_or_else(none, |summary| number(of(summary).into()));
        let most = streams
            .with_value(|streams| of_style(streams, lane.style))
            .map(|stream| stream.trace.with(|trace| steps::highest(&flight::of_items(trace), flight::IN_FLIGHT)));
        view! {
            <tr>
                <th scope="row">{words::style_name(lane.style)}</th>
                <td>{summary.map_or_else(none, |summary| brief(summary.elapsed_us))}</td>
                <td>{lanes.with(|lanes| verdict::versus(lanes, lane)).unwrap_or_else(none)}</td>
                <td>{count(|summary| summary.done)}</td>
                <td>{count(|summary| summary.failed)}</td>
                <td>{most.map_or_else(none, |most| number(most.into()))}</td>
            </tr>
        }
    };
    let rows = move || lanes.get().iter().map(row).collect_view();
    view! {
        <FoldedTable class="table_view" summary=ui_words::SAME_AS_TABLE is_open=RwSignal::new(false)>
            <div class="table_scroll" tabindex="0" role="region" aria-label=words::STYLES_AS_A_TABLE>
                <FiguresTable columns=words::COLUMNS.to_vec()>{rows}</FiguresTable>
            </div>
        </FoldedTable>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_shows_what_each_style_would_do() {
        let spec = FetchSpec { count: 3, workers: 2, ..FetchSpec::FIRST };
        let starts =
            |style| expected(&in_style(&spec, style)).iter().map(|bar| bar.from_us / 1_000_000).collect::<Vec<_>>();
        let [sequential, threads, _, tasks] = [0, 1, 2, 3].map(|index: usize| starts(LabStyle::ALL[index]));
        assert_eq!([sequential, threads, tasks], [vec![0, 2, 4], vec![0, 0, 2], vec![0, 0, 0]]);
        assert_eq!(expected_us(&spec), 6_000_000);
        let many = FetchSpec { count: 1_000, workers: 100, ..spec };
        assert_eq!(expected_us(&many), 20_000_000, "the sequence is too long to be run");
    }
}
