//! The first scenario: the same requests in every style, compared.

use api::{ApiError, ErrorCode, FetchSpec, LabRun, LabSpec, LabStyle};
use leptos::prelude::*;

use crate::lab::code::StyleCode;
use crate::lab::comparison::{ComparisonId, Lane, Outcome, STARTED, in_style, newest};
use crate::lab::draft::{FIRST, FetchDraft, MANY};
use crate::lab::form::FetchForm;
use crate::lab::launcher::Launcher;
use crate::lab::multiples::{Multiples, of_style};
use crate::lab::ongoing::Ongoing;
use crate::lab::run::Skeleton;
use crate::lab::shows::Takeaway;
use crate::lab::stream::follow_in_turn;
use crate::lab::words::brief;
use crate::lab::{comparison, verdict, words};
use crate::platform::{context, retry, url};
use crate::ui::notice::{Failure, Notice, Tone};

/// The parameter that names a comparison in the page's address.
pub const PARAMETER: &str = "compare";

/// Shows the comparison that the address names, or else the newest one when the page is opened.
#[component]
pub fn ComparePanel(runs: Memo<Vec<LabRun>>, closed: Memo<Option<String>>, launcher: Launcher) -> impl IntoView {
    let router = context::router();
    let draft = FetchDraft::new();
    let ongoing = Ongoing::new();
    let named = router.parameter(PARAMETER);
    let named = Memo::new(move |_| named.with(|named| named.as_deref().and_then(ComparisonId::parse)));
    let shown = RwSignal::new(None::<ComparisonId>);
    Effect::new(move |before: Option<Option<ComparisonId>>| {
        let (named, known) = (named.get(), shown.get_untracked());
        // What the address has named goes with it.
        let stays = known.filter(|_| before.flatten().is_none());
        let next = named.or_else(|| stays.or_else(|| runs.with(|runs| newest(runs))));
        if next != known {
            shown.set(next);
        }
        named
    });
    on_cleanup(move || launcher.shown());
    // The work of the comparison that is shown.
    let shown_work = RwSignal::new(None::<FetchSpec>);
    let head = RwSignal::new((verdict::headline(&FIRST, &[]), words::compare_lead(&FIRST)));
    let on_comparison = Callback::new(move |id: ComparisonId| router.replace(&id.address(), None));
    let on_run = Callback::new(move |run: LabRun| router.go(&url::of_lab_run(run.id)));
    let label = move || {
        shown_work.with(|shown| match shown {
            None => words::form::COMPARE,
            Some(shown) if draft.describes(shown) => words::form::COMPARE_AGAIN,
            Some(_) => words::form::COMPARE_CHANGED,
        })
    };
    let try_work = Callback::new(move |spec: FetchSpec| {
        draft.fill(&spec);
        if let Ok(specs) = comparison::specs(&spec) {
            launcher.compare(specs, on_comparison);
        }
    });
    let start = move || match closed.get() {
        Some(why) => view! { <Notice tone=Tone::Info title=words::CLOSED text=why /> }.into_any(),
        None => view! {
            <FetchForm draft launcher ongoing label=Signal::derive(label) on_comparison on_run />
        }
        .into_any(),
    };
    let picture = move || {
        shown_work.set(None);
        match shown.get() {
            Some(id) => view! { <ComparisonById id runs draft ongoing shown_work head launcher try_work /> }.into_any(),
            None => {
                launcher.shown();
                view! { <Sketch draft head /> }.into_any()
            }
        }
    };
    view! {
        <header class="lab_head">
            <h2 class="display">{move || head.with(|(title, _)| title.clone())}</h2>
            <p class="lead">{move || head.with(|(_, lead)| lead.clone())}</p>
        </header>
        {start}
        {picture}
    }
}

/// The headline, and the sentence below it.
type Head = RwSignal<(String, String)>;

/// What the styles would do.
#[component]
fn Sketch(draft: FetchDraft, head: Head) -> impl IntoView {
    let spec = Memo::new(move |_| draft.sketch());
    Effect::new(move |_| head.set(spec.with(|spec| (verdict::headline(spec, &[]), words::compare_lead(spec)))));
    let nothing = Memo::new(|_| Vec::new());
    view! {
        {move || view! {
            <Multiples spec=spec.get() lanes=nothing streams=vec![] is_old=Signal::stored(false)>
                <Takeaway title=words::WHAT_TO_EXPECT>{words::SKETCH}{words::RUN_AND_SEE}</Takeaway>
            </Multiples>
        }}
        <StyleCode />
    }
}

#[component]
fn ComparisonById(
    id: ComparisonId,
    runs: Memo<Vec<LabRun>>,
    draft: FetchDraft,
    ongoing: Ongoing,
    shown_work: RwSignal<Option<FetchSpec>>,
    head: Head,
    launcher: Launcher,
    try_work: Callback<FetchSpec>,
) -> impl IntoView {
    let known = runs.get_untracked();
    let answer = LocalResource::new(move || load(id, known.clone()));
    retry::reload(answer, retry::Outcome::of);
    move || match answer.get() {
        None => view! { <Skeleton /> }.into_any(),
        Some(Ok(runs)) => view! { <Comparison id runs draft ongoing shown_work head launcher try_work /> }.into_any(),
        Some(Err(error)) if error.code == ErrorCode::NotFound => {
            launcher.shown();
            view! { <Notice tone=Tone::Info text=words::NO_COMPARISON /> }.into_any()
        }
        Some(Err(error)) => {
            launcher.shown();
            view! { <Failure text=error.message on_retry=move |()| answer.refetch() /> }.into_any()
        }
    }
}

/// The runs of a comparison in the order in which they take place. `known` spares requests.
async fn load(id: ComparisonId, known: Vec<LabRun>) -> Result<Vec<LabRun>, ApiError> {
    let run = async |style: LabStyle| {
        let id = id.run(style);
        match known.iter().find(|run| run.id == id) {
            Some(run) => Ok(run.clone()),
            None => api::lab_run(id).await,
        }
    };
    // Every comparison has this run, because no style is faster.
    let first = run(LabStyle::Async).await?;
    let LabSpec::Fetch(spec) = first.spec.clone() else { return Err(ApiError::not_found("comparison")) };
    let mut runs = Vec::new();
    for style in STARTED {
        if LabSpec::Fetch(in_style(&spec, style)).check().is_err() {
            continue;
        }
        match run(style).await {
            Ok(run) => runs.push(run),
            Err(error) if error.code == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}

#[component]
fn Comparison(
    id: ComparisonId,
    runs: Vec<LabRun>,
    draft: FetchDraft,
    ongoing: Ongoing,
    shown_work: RwSignal<Option<FetchSpec>>,
    head: Head,
    launcher: Launcher,
    try_work: Callback<FetchSpec>,
) -> impl IntoView {
    let spec = spec_of(&runs);
    draft.fill(&spec);
    shown_work.set(Some(spec.clone()));
    let streams = follow_in_turn(runs);
    ongoing.follow(streams.clone());
    // After `ongoing`: in between, the button would start another comparison.
    Effect::new(move |_| launcher.shown());
    let (followed, work) = (streams.clone(), spec.clone());
    let lanes = Memo::new(move |_| {
        let lane = |style: &LabStyle| match of_style(&followed, *style) {
            Some(stream) => stream.run.with(|run| Lane::new(&work, *style, Some(run))),
            None => Lane::new(&work, *style, None),
        };
        LabStyle::ALL.iter().map(lane).collect::<Vec<_>>()
    });
    let work = spec.clone();
    let is_old = Memo::new(move |_| !draft.describes(&work));
    let work = spec.clone();
    // The figures of other work than the form describes are no headline.
    Effect::new(move |_| {
        let drafted = is_old.get().then(|| draft.sketch());
        let title = match &drafted {
            Some(drafted) => verdict::headline(drafted, &[]),
            None => lanes.with(|lanes| verdict::headline(&work, lanes)),
        };
        head.set((title, words::compare_lead(drafted.as_ref().unwrap_or(&work))));
    });
    let work = spec.clone();
    let conclusion = Memo::new(move |_| lanes.with(|lanes| verdict::conclusion(&work, lanes)));
    // The list of runs would follow a second later.
    let ended = streams.clone();
    Effect::new(move |before: Option<usize>| {
        let ended = ended.iter().filter(|stream| stream.is_complete.get()).count();
        if before.is_some_and(|before| before < ended) {
            launcher.ended();
        }
        ended
    });
    let is_open = Memo::new(move |_| lanes.with(|lanes| lanes.iter().any(Lane::is_open)));
    let next = if spec.count < MANY.count { (words::TRY_MANY, MANY) } else { (words::TRY_FEW, FIRST) };
    let takeaway = move || {
        let (label, spec) = next.clone();
        match conclusion.get() {
            Some(text) => view! {
                <Takeaway title=words::WHAT_THIS_SHOWS>
                    {text}
                    " "
                    <button class="text_button" type="button" on:click=move |_| try_work.run(spec.clone())>
                        {label}
                    </button>
                </Takeaway>
            }
            .into_any(),
            None => {
                let rest = if is_open.get() { words::WE_WILL_SEE } else { words::RUN_AND_SEE };
                view! { <Takeaway title=words::WHAT_TO_EXPECT>{words::SKETCH}{rest}</Takeaway> }.into_any()
            }
        }
    };
    view! {
        {move || ongoing.cancellation.error.get().map(|error| {
            view! { <Notice tone=Tone::Error title=words::NOT_CANCELLED text=error.message /> }
        })}
        <Multiples spec lanes streams is_old link=url::absolute(&id.address())>{takeaway}</Multiples>
        <Spoken lanes />
        <StyleCode />
    }
}

fn spec_of(runs: &[LabRun]) -> FetchSpec {
    let specs = || {
        runs.iter().filter_map(|run| match &run.spec {
            LabSpec::Fetch(spec) => Some(spec),
            _ => None,
        })
    };
    // Only styles with threads know how many there are.
    let spec = specs().find(|spec| spec.style.has_workers()).or_else(|| specs().next());
    spec.map_or(FIRST, |spec| in_style(spec, LabStyle::Async))
}

/// Says each style's time once it has ended.
#[component]
fn Spoken(lanes: Memo<Vec<Lane>>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    Effect::new(move |before: Option<Vec<LabStyle>>| {
        let ended = |lane: &Lane| match &lane.outcome {
            Outcome::Ended(summary) => {
                Some((lane.style, words::lane_ended(words::style_name(lane.style), &brief(summary.elapsed_us))))
            }
            _ => None,
        };
        let ended: Vec<_> = lanes.get().iter().filter_map(ended).collect();
        // What had ended before is on the page already.
        if let Some(before) = before {
            let news = ended.iter().filter(|(style, _)| !before.contains(style)).map(|(_, text)| text.as_str());
            let news = news.collect::<Vec<_>>().join(". ");
            if !news.is_empty() {
                text.set(news);
            }
        }
        ended.into_iter().map(|(style, _)| style).collect()
    });
    view! { <p class="visually_hidden" role="status">{move || text.get()}</p> }
}
