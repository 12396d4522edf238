//! `/jobs`: the jobs by state and by kind, the list of them, and what can be done to each.

use api::{ApiError, JobFilter, JobId, JobState, JobsPage as Page};
use leptos::ev;
use leptos::prelude::*;

use crate::components::{CountTabs, JobTable, KindTable, Loading, Notice, PageHeading, Tone};
use crate::job_commands::JobCommands;
use crate::job_feed::JobNews;
use crate::kind_commands::KindCommands;
use crate::{context, job_feed, keys, url};

#[component]
pub fn JobsPage() -> impl IntoView {
    let navigation = context::navigation();
    let (state_word, cursor) = (navigation.parameter("state"), navigation.parameter("before"));
    let state = Memo::new(move |_| state_word.get().as_deref().and_then(JobState::parse));
    let before = Memo::new(move |_| cursor.get().and_then(|cursor| cursor.parse().ok()).map(JobId));
    let version = RwSignal::new(0_u32);
    let is_stale = RwSignal::new(false);
    let page = LocalResource::new(move || {
        version.track();
        is_stale.set(false);
        api::jobs(JobFilter { state: state.get(), kind: None }, before.get())
    });
    let refresh = Callback::new(move |()| {
        version.try_update(|version| *version += 1);
    });
    // Nothing moves while someone reads: further down, or on an older page.
    let feed = job_feed::follow(move |news| {
        let is_reading = before.get_untracked().is_some() || window().scroll_y().is_ok_and(|y| y > 100.0);
        match news {
            _ if !is_reading => refresh.run(()),
            JobNews::States => is_stale.set(true),
            JobNews::Progress => {}
        }
    });
    let commands = JobCommands::new(refresh);
    keys_for_rows();
    view! {
        <div class="page">
            <PageHeading text="Jobs" />
            <CountTabs counts=feed.counts chosen=state />
            <KindTable kinds=feed.kinds commands=KindCommands::new(feed.kinds) />
            {move || commands.error.get().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <Show when=move || is_stale.get()>
                <Notice tone=Tone::Info text="The jobs have changed since this list was read.">
                    <button class="button" type="button" on:click=move |_| refresh.run(())>"Refresh"</button>
                </Notice>
            </Show>
            <JobList page=Signal::derive_local(move || page.get()) state before commands refresh />
        </div>
    }
}

#[component]
fn JobList(
    page: Signal<Option<Result<Page, ApiError>>, LocalStorage>,
    state: Memo<Option<JobState>>,
    before: Memo<Option<JobId>>,
    commands: JobCommands,
    refresh: Callback<()>,
) -> impl IntoView {
    let session = context::session();
    let jobs = RwSignal::new(Vec::new());
    let next = RwSignal::new(None::<JobId>);
    // Rows keep their elements from one reading to the next: so the list is not rebuilt.
    let outcome = Memo::new(move |_| {
        page.with(|page| match page {
            None => Outcome::Awaited,
            Some(Ok(page)) => {
                jobs.set(page.jobs.clone());
                next.set(page.next);
                if page.jobs.is_empty() { Outcome::Empty } else { Outcome::Rows }
            }
            Some(Err(error)) => Outcome::Failed(error.clone()),
        })
    });
    let link = move |before: Option<JobId>| {
        let before = before.map(|JobId(id)| id.to_string());
        url::with_query("/jobs", &[("state", state.get().map(JobState::as_str)), ("before", before.as_deref())])
    };
    move || match outcome.get() {
        Outcome::Awaited => view! { <Loading /> }.into_any(),
        Outcome::Failed(error) => {
            session.notice(&error);
            view! {
                <Notice tone=Tone::Error text=error.message>
                    <button class="button" type="button" on:click=move |_| refresh.run(())>"Try again"</button>
                </Notice>
            }
            .into_any()
        }
        Outcome::Empty => view! { <div class="card empty_state"><p>{emptiness(state.get())}</p></div> }.into_any(),
        Outcome::Rows => view! {
            <div class="card card-flush"><JobTable jobs commands /></div>
            <nav class="pager" aria-label="Pages of the list">
                {move || before.get().map(|_| view! { <a class="button" href=link(None)>"Newest"</a> })}
                {move || next.get().map(|next| view! { <a class="button" href=link(Some(next))>"Older"</a> })}
            </nav>
        }
        .into_any(),
    }
}

#[derive(Clone, PartialEq)]
enum Outcome {
    Awaited,
    Empty,
    Rows,
    Failed(ApiError),
}

fn emptiness(state: Option<JobState>) -> String {
    match state {
        Some(state) => format!("No job is {} now.", state.as_str()),
        None => "There are no jobs yet: each search makes one.".to_owned(),
    }
}

/// `j` and `k` walk over the rows, `r` retries the one in focus.
fn keys_for_rows() {
    let listener = window_event_listener(ev::keydown, |event| {
        if !keys::is_command(&event) {
            return;
        }
        match event.key().as_str() {
            "j" => keys::focus_row(keys::Step::Next),
            "k" => keys::focus_row(keys::Step::Previous),
            "r" => keys::press_in_row("[data-command=Retry]"),
            _ => {}
        }
    });
    on_cleanup(move || listener.remove());
}
