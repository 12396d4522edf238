//! `/lab/runs/{id}`: one run of the waiting lab.

use api::{ErrorCode, LabRunId};
use leptos::prelude::*;

use crate::components::lab::{RunPlace, RunView};
use crate::components::{Loading, Notice, PageHeading, Tone};
use crate::lab::words;

#[component]
pub fn LabRunPage(id: LabRunId) -> impl IntoView {
    let version = RwSignal::new(0_u32);
    let answer = LocalResource::new(move || {
        version.track();
        api::lab_run(id)
    });
    let shown = Memo::new(move |_| answer.get());
    let heading = Memo::new(move |_| match shown.get() {
        Some(Ok(run)) => words::title(&run.spec),
        Some(Err(error)) if error.code == ErrorCode::NotFound => "There is no such run".to_owned(),
        _ => "A run of the lab".to_owned(),
    });
    // The list on the lab's page tells of it; here nothing follows.
    let on_end = Callback::new(|_| ());
    view! {
        <div class="page">
            <p class="breadcrumb"><a href="/lab">"The waiting lab"</a></p>
            <PageHeading text=heading />
            {move || match shown.get() {
                None => view! { <Loading /> }.into_any(),
                Some(Ok(run)) => view! { <RunView run place=RunPlace::Page on_end /> }.into_any(),
                Some(Err(error)) if error.code == ErrorCode::NotFound => view! { <NoSuchRun /> }.into_any(),
                Some(Err(error)) => view! {
                    <Notice tone=Tone::Error text=error.message>
                        <button class="button" type="button" on:click=move |_| version.update(|version| *version += 1)>
                            "Try again"
                        </button>
                    </Notice>
                }
                .into_any(),
            }}
        </div>
    }
}

#[component]
fn NoSuchRun() -> impl IntoView {
    view! {
        <div class="card empty_state">
            <p>"The address may be mistyped, or the run may be so old that it was deleted."</p>
            <a class="button" href="/lab">"Go to the lab"</a>
        </div>
    }
}
