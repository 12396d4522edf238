//! The toolbar above the jobs: their filter, and how far they are scanned.

use api::{FilterError, FilterKey, FilterList, JobKind, JobState, with_absolute_times};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::jobs::reading::{ListReader, Reading};
use crate::jobs::words;
use crate::platform::{context, time, url};
use crate::ui::filter::{FilterBox, FilterErrorNote};

/// The id of the element that explains the filter's error.
const ERROR_ID: &str = "jobs-filter-error";

#[component]
pub fn JobsToolbar(
    /// As typed.
    #[prop(into)]
    typed: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<FilterError>>,
    /// Whether there are rows, which match the filter before if there is an error.
    #[prop(into)]
    has_rows: Signal<bool>,
    kinds: RwSignal<Option<Vec<JobKind>>>,
) -> impl IntoView {
    let router = context::router();
    let error_id = Signal::derive(move || error.with(Option::is_some).then_some(ERROR_ID));
    // In the address, times are absolute: it may be sent to people in other zones.
    let on_change = Callback::new(move |typed: Option<String>| {
        let filter = typed.map(|typed| with_absolute_times(&typed, FilterList::Jobs, &time::LocalZone));
        router.replace(&url::with_query("/jobs", &[("q", filter.as_deref())]), None);
    });
    let workers = Workers::new();
    let values = Callback::new(move |key| match key {
        FilterKey::State => JobState::ALL.map(|state| state.as_str().to_owned()).to_vec(),
        FilterKey::Kind => {
            kinds.with_untracked(|kinds| kinds.iter().flatten().map(|kind| kind.kind.clone()).collect::<Vec<_>>())
        }
        FilterKey::Worker => workers.names(),
        _ => vec![],
    });
    view! {
        <div class="jobs_toolbar">
            <FilterBox
                list=FilterList::Jobs label=words::FILTER hint=words::FILTER_HINT value=typed on_change error_id values
            />
            <FilterErrorNote id=ERROR_ID text=typed error unfiltered="/jobs" on_change has_rows />
        </div>
    }
}

/// The names of the workers that live, read when they are first asked for.
#[derive(Clone, Copy)]
struct Workers(RwSignal<Option<Vec<String>>>);

impl Workers {
    fn new() -> Self {
        Self(RwSignal::new(None))
    }

    fn names(self) -> Vec<String> {
        if let Some(names) = self.0.get_untracked() {
            return names;
        }
        self.0.set(Some(vec![]));
        spawn_local(async move {
            // Without them, names are typed.
            if let Ok(system) = api::system().await {
                let workers = system.workers.unwrap_or_default();
                self.0.try_set(Some(workers.into_iter().map(|worker| worker.name).collect()));
            }
        });
        vec![]
    }
}

/// How many jobs were scanned, with buttons that stop the scan and go on with it.
#[component]
pub fn ScanProgress(reader: ListReader) -> impl IntoView {
    let compared = Memo::new(move |_| reader.compared());
    let state = Memo::new(move |_| reader.reading.get());
    move || {
        let (text, press): (&str, fn(ListReader)) = match state.get() {
            Reading::Scanning => (words::STOP, ListReader::stop),
            Reading::Stopped => (words::GO_ON, ListReader::resume),
            Reading::Quick | Reading::Scanned => return None,
        };
        let scanned = move || compared.get().map(words::scanned);
        Some(view! {
            <p class="jobs_scan" data-running=(state.get() == Reading::Scanning).then_some("")>
                <span>{scanned}</span>
                <button class="button button-small" type="button" on:click=move |_| press(reader)>{text}</button>
            </p>
        })
    }
}
