//! The runs so far, compared.

use api::LabRun;
use leptos::prelude::*;

use crate::components::{StateBadge, TimeAgo};
use crate::lab::comparison::{ComparedRun, compare};
use crate::lab::span;
use crate::url;
use crate::wording::counted;

#[component]
pub fn RunTable(#[prop(into)] runs: Signal<Vec<LabRun>>) -> impl IntoView {
    let compared = Memo::new(move |_| runs.with(|runs| compare(runs)));
    let is_empty = Memo::new(move |_| compared.with(Vec::is_empty));
    view! {
        <section class="run_section" aria-labelledby="runs-title">
            <h2 id="runs-title">"The runs so far"</h2>
            <Show
                when=move || !is_empty.get()
                fallback=|| view! {
                    <div class="card empty_state">
                        <p>"No run yet. Start one above; or compare the styles, and see here how much faster one is than the other."</p>
                    </div>
                }
            >
                <div class="card card-flush">
                    <table class="run_table">
                        <thead>
                            <tr>
                                <th scope="col">"Run"</th>
                                <th scope="col">"State"</th>
                                <th scope="col">"Elapsed"</th>
                                <th scope="col" title="Against its own requests one after the other">"Against the sum"</th>
                                <th scope="col" title="Against the slowest run with the same work">"Against the slowest"</th>
                                <th scope="col">"Started"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=move || compared.get()
                                key=|run| run.id
                                children=move |run| view! { <RunRow run compared /> }
                            />
                        </tbody>
                    </table>
                </div>
            </Show>
        </section>
    }
}

/// A row keeps its elements while its run goes on: so a link in focus stays so.
#[component]
fn RunRow(run: ComparedRun, compared: Memo<Vec<ComparedRun>>) -> impl IntoView {
    let ComparedRun { id, title, created_at, .. } = run.clone();
    let current = Memo::new(move |_| {
        compared.with(|compared| compared.iter().find(|run| run.id == id).cloned()).unwrap_or_else(|| run.clone())
    });
    let state = Memo::new(move |_| current.with(|run| run.state));
    let text =
        move |text: fn(&ComparedRun) -> Option<String>| move || current.with(text).unwrap_or_else(|| "–".to_owned());
    let is_none = move |is_none: fn(&ComparedRun) -> bool| move || current.with(is_none).then_some("");
    let failed = move || current.with(|run| run.failed);
    view! {
        <tr>
            <th class="run_name" scope="row"><a class="row_link" href=url::of_lab_run(id)>{title}</a></th>
            <td class="run_state">
                {move || view! { <StateBadge state=state.get() /> }}
                <span class="muted run_failed">
                    {move || (failed() > 0).then(|| counted(failed() as usize, "failure"))}
                </span>
            </td>
            <td class="run_elapsed">
                <span class="run_bar"><span class="run_bar_done" style:width=move || current.with(width)></span></span>
                <span class="run_bar_text">{text(|run| run.elapsed_us.map(span::measured))}</span>
            </td>
            <td class="run_times run_against_sum" data-none=is_none(|run| run.against_sum.is_none())>{text(|run| run.against_sum.clone())}</td>
            <td class="run_times run_against_slowest" data-none=is_none(|run| run.against_slowest.is_none())>{text(|run| run.against_slowest.clone())}</td>
            <td class="run_started"><TimeAgo time=created_at /></td>
        </tr>
    }
}

fn width(run: &ComparedRun) -> String {
    format!("{}.{}%", run.thousandths / 10, run.thousandths % 10)
}
