//! The trap: three ways to write the log of a search, on one time axis.

use api::{JobState, Lane, LaneStep, LaneTrace};
use leptos::prelude::*;

use crate::lab::stream::RunStream;
use crate::lab::words::trap;
use crate::ui::chart::axis::{Scale, TimeAxis};
use crate::ui::chart::reading::{FiguresTable, FoldedTable};
use crate::ui::format::measured;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn LaneList(stream: RunStream, delay_ms: u32) -> impl IntoView {
    // Each lane has its own time, because the processes do not start at the same moment.
    let lanes = Lane::ALL.map(|lane| {
        Memo::new(move |_| {
            let known = stream.trace.with(|trace| trace.lanes.iter().find(|known| known.lane == lane).cloned());
            since_sent(&known.unwrap_or(LaneTrace { lane, steps: vec![] }))
        })
    });
    let scale = Memo::new(move |_| {
        let is_running = stream.is_running();
        let now_us = stream.now_us.get();
        let ends = lanes.iter().map(|lane| {
            lane.with(|(lane, sent)| match lane.steps.last() {
                Some(_) if is_running => now_us.saturating_sub(*sent),
                Some(&(at_us, _)) => at_us,
                None => 0,
            })
        });
        let end = ends.max().unwrap_or_default();
        if is_running { Scale::growing(end, u64::from(delay_ms) * 1_100) } else { Scale::to(end) }
    });
    view! {
        <section class="card lanes" aria-label=trap::TITLE>
            <div class="lane_axis"><TimeAxis scale /></div>
            <ol class="lane_list">
                {lanes.map(|lane| view! { <LaneRow stream lane scale /> }).collect_view()}
            </ol>
            <ul class="bar_legend" aria-hidden="true">
                <li><span class="bar_sample" data-bar="work"></span>{trap::VISITOR}</li>
                <li><span class="bar_sample" data-bar="wait"></span>{trap::UNWRITTEN}</li>
                <li><span class="lane_key" data-mark="killed"></span>{trap::KILLED}</li>
                <li data-state="done"><Icon symbol=Symbol::State(JobState::Done) />{trap::ROW_WRITTEN}</li>
                <li data-state="dead"><Icon symbol=Symbol::Close />{trap::LOST}</li>
            </ul>
            <FoldedTable class="table_view" summary=trap::STEPS is_open=RwSignal::new(false)>
                <FiguresTable columns=trap::COLUMNS.to_vec()>
                    {lanes.map(|lane| move || lane.with(|(lane, _)| step_rows(lane))).collect_view()}
                </FiguresTable>
            </FoldedTable>
        </section>
    }
}

#[component]
fn LaneRow(
    stream: RunStream,
    /// The lane in its own time, and when that began in the run's time.
    lane: Memo<(LaneTrace, u64)>,
    scale: Memo<Scale>,
) -> impl IntoView {
    let name = lane.with_untracked(|(lane, _)| lane.lane);
    let trace = Memo::new(move |_| lane.with(|(lane, _)| lane.clone()));
    let id = format!("lane-{name:?}");
    let [title, explanation] = trap::lane(name);
    let now_us = move || {
        let sent = lane.with(|(_, sent)| *sent);
        if stream.is_running() { stream.now_us.get().saturating_sub(sent) } else { scale.get().end_us() }
    };
    let spans = Memo::new(move |_| trace.with(|lane| Spans::of(lane, now_us())));
    let span = move |choose: fn(&Spans) -> Option<Span>| {
        let edge = move |edge: fn(Span) -> u64| {
            move || spans.with(choose).map_or_else(|| "0".to_owned(), |span| scale.get().percent(edge(span)))
        };
        (edge(|(from, _)| from), edge(|(from, to)| to - from))
    };
    let (waits_from, waits_for) = span(|spans| spans.visitor);
    let (unwritten_from, unwritten_for) = span(|spans| spans.unwritten);
    let mark = move |name: &'static str, symbol: Option<Symbol>, choose: fn(&Spans) -> Option<u64>| {
        move || {
            let at = scale.get().percent(spans.with(choose)?);
            let icon = symbol.map(|symbol| view! { <Icon symbol /> });
            Some(view! { <span class="lane_mark" data-mark=name style:left=at>{icon}</span> })
        }
    };
    let label = move |place: &'static str, choose: fn(&Spans) -> Option<(u64, String)>| {
        move || {
            let (at_us, text) = spans.with(choose)?;
            let (scale, end) = (scale.get(), (scale.get().share(at_us) > 0.5).then_some(""));
            Some(
                view! { <span class="lane_label" data-place=place data-end=end style:left=scale.percent(at_us)>{text}</span> },
            )
        }
    };
    let verdict = Memo::new(move |_| trace.with(Verdict::of));
    view! {
        <li class="lane" aria-labelledby=id.clone()>
            <div class="multiple_name">
                <h3 id=id.clone()>{title}</h3>
                <p>{explanation}</p>
            </div>
            <div class="lane_plot">
                <div class="lane_track" aria-hidden="true">
                    <span class="lane_waits" style:left=waits_from style:width=waits_for></span>
                    <span class="lane_unwritten" style:left=unwritten_from style:width=unwritten_for></span>
                    {mark("killed", None, |spans| spans.killed)}
                    {mark("written", Some(Symbol::State(JobState::Done)), |spans| spans.written)}
                    {mark("lost", Some(Symbol::Close), |spans| spans.lost)}
                    {label("above", Spans::event)}
                    {label("below", Spans::row)}
                </div>
            </div>
            <p class="lane_verdict" data-tone=move || verdict.with(|verdict| verdict.tone) aria-live="polite">
                <strong>{move || verdict.with(|verdict| verdict.text.clone())}</strong>
                " "
                <small>{move || verdict.with(|verdict| verdict.remark.clone())}</small>
            </p>
        </li>
    }
}

/// From and to, in microseconds of the lane's own time.
type Span = (u64, u64);

/// What is drawn of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Spans {
    /// How long the visitor waited.
    visitor: Option<Span>,
    /// While the row was neither written nor lost.
    unwritten: Option<Span>,
    answered: Option<u64>,
    killed: Option<u64>,
    written: Option<u64>,
    /// The row was lost when the process was killed, however long it was looked for.
    lost: Option<u64>,
}

impl Spans {
    fn of(lane: &LaneTrace, now_us: u64) -> Self {
        let Some(sent) = lane.time(LaneStep::Sent) else { return Self::default() };
        let killed = lane.time(LaneStep::Killed);
        let written = lane.time(LaneStep::RowThere);
        let gone = lane.time(LaneStep::RowGone);
        let lost = gone.map(|gone| killed.unwrap_or(gone));
        let end = |end: Option<u64>| end.unwrap_or(now_us).max(sent);
        Self {
            visitor: Some((sent, end(lane.time(LaneStep::Answered)))),
            unwritten: Some((sent, end(written.or(lost)))),
            answered: lane.time(LaneStep::Answered),
            killed,
            written,
            lost,
        }
    }

    /// The kill, which is the event of its lane; without one, the answer that the visitor waited for.
    fn event(&self) -> Option<(u64, String)> {
        let answered = self.answered.filter(|_| self.killed.is_none()).map(|us| (us, trap::at(trap::ANSWERED, us)));
        self.killed.map(|us| (us, trap::at(trap::KILLED, us))).or(answered)
    }

    fn row(&self) -> Option<(u64, String)> {
        let lost = self.lost.map(|us| (us, trap::LOST.to_owned()));
        self.written.map(|us| (us, trap::at(trap::ROW_WRITTEN, us))).or(lost)
    }
}

/// What came of a search, in big letters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    text: String,
    remark: String,
    /// `good`, `bad`, `slow` or `open`, for the style sheet.
    tone: &'static str,
}

impl Verdict {
    /// `lane` must be in its own time.
    fn of(lane: &LaneTrace) -> Self {
        let open = |remark: String| Self { text: trap::PENDING.to_owned(), remark, tone: "open" };
        let Some(sent) = lane.time(LaneStep::Sent) else { return open(trap::NOT_SENT.to_owned()) };
        let Some(answered) = lane.time(LaneStep::Answered) else {
            return open(trap::VISITOR_STILL_WAITS.to_owned());
        };
        let waited = answered.saturating_sub(sent);
        let has_row = lane.time(LaneStep::RowThere).is_some();
        let was_killed = lane.time(LaneStep::Killed).is_some();
        let (text, remark, tone) = match (lane.lane, has_row, lane.time(LaneStep::RowGone)) {
            (_, false, Some(_)) => (trap::ROW_LOST.to_owned(), trap::answered(waited), "bad"),
            (_, false, None) => return open(format!("{}, {}", trap::answered(waited), trap::ROW_PENDING)),
            (Lane::Awaited, true, _) => (trap::wait(waited), trap::ROW_THERE.to_owned(), "slow"),
            (_, true, _) if was_killed => (trap::survived(waited), trap::ONCE_ON_DISK.to_owned(), "good"),
            (_, true, _) => (trap::written(waited), String::new(), "good"),
        };
        Self { text, remark, tone }
    }
}

fn step_rows(lane: &LaneTrace) -> impl IntoView + use<> {
    let [title, _] = trap::lane(lane.lane);
    let row = |&(at_us, step): &(u64, LaneStep)| {
        view! { <tr><th scope="row">{title}</th><td>{step.as_str()}</td><td>{measured(at_us)}</td></tr> }
    };
    lane.steps.iter().map(row).collect_view()
}

/// The lane in its own time, which begins when its search is sent, and that moment in the run's time.
fn since_sent(lane: &LaneTrace) -> (LaneTrace, u64) {
    let sent = lane.time(LaneStep::Sent).unwrap_or_default();
    let steps = lane.steps.iter().map(|&(at_us, step)| (at_us.saturating_sub(sent), step)).collect();
    (LaneTrace { lane: lane.lane, steps }, sent)
}

#[cfg(test)]
mod tests {
    use LaneStep::{Answered, Killed, Restarted, RowGone, RowThere, Sent};

    use super::*;
    use crate::ui::format::plain;

    fn lane(lane: Lane, steps: &[(u64, LaneStep)]) -> LaneTrace {
        LaneTrace { lane, steps: steps.to_vec() }
    }

    fn verdict(lane: &LaneTrace) -> (String, String, &'static str) {
        let Verdict { text, remark, tone } = Verdict::of(lane);
        (plain(text), plain(remark), tone)
    }

    #[test]
    fn verdicts_say_how_long_the_visitor_waited_and_where_the_row_is() {
        let awaited = lane(Lane::Awaited, &[(0, Sent), (15_000_000, RowThere), (15_002_000, Answered)]);
        assert_eq!(verdict(&awaited), ("15.0 s wait".to_owned(), "its row is in the log".to_owned(), "slow"));
        let bare = [(0, Sent), (2_500, Answered), (500_000, Killed), (900_000, Restarted), (16_000_000, RowGone)];
        let bare = lane(Lane::BareTask, &bare);
        assert_eq!(verdict(&bare), ("Row lost".to_owned(), "answered in 2.5 ms".to_owned(), "bad"));
        let job = [(0, Sent), (4_000, Answered), (500_000, Killed), (900_000, Restarted), (16_000_000, RowThere)];
        let job = lane(Lane::Job, &job);
        assert_eq!(verdict(&job), ("4.0 ms, row survived".to_owned(), trap::ONCE_ON_DISK.to_owned(), "good"));
    }

    #[test]
    fn an_unfinished_lane_says_what_it_waits_for() {
        let remark = |steps: &[(u64, LaneStep)]| verdict(&lane(Lane::Job, steps)).1;
        assert_eq!(remark(&[]), "not sent yet");
        assert_eq!(remark(&[(0, Sent)]), "the visitor waits for the answer");
        assert_eq!(remark(&[(0, Sent), (4_000, Answered)]), "answered in 4.0 ms, its row is not in the log yet");
    }

    #[test]
    fn spans_end_at_their_true_times() {
        let steps = [(0, Sent), (1_400, Answered), (1_000_000, Killed), (1_080_000, Restarted)];
        let spans = Spans::of(&lane(Lane::BareTask, &steps), 5_000_000);
        assert_eq!((spans.visitor, spans.unwritten), (Some((0, 1_400)), Some((0, 5_000_000))));
        let killed = spans.event().map(|(at_us, text)| (at_us, plain(text)));
        assert_eq!((killed, spans.row()), (Some((1_000_000, "killed 1.0 s".to_owned())), None));
        let lost: Vec<_> = steps.into_iter().chain([(17_000_000, RowGone)]).collect();
        let spans = Spans::of(&lane(Lane::BareTask, &lost), 17_000_000);
        assert_eq!((spans.unwritten, spans.lost), (Some((0, 1_000_000)), Some(1_000_000)), "lost when it was killed");
        assert_eq!(Spans::of(&lane(Lane::Job, &[]), 5), Spans::default());
    }

    #[test]
    fn each_lane_begins_with_its_search() {
        let steps = [(1_200, Sent), (1_900, Answered)];
        let (shifted, sent) = since_sent(&lane(Lane::Job, &steps));
        assert_eq!(shifted.steps, [(0, Sent), (700, Answered)]);
        assert_eq!(sent, 1_200);
        assert_eq!(since_sent(&lane(Lane::Job, &[])), (lane(Lane::Job, &[]), 0));
    }
}
