//! The workers: how busy each is, and when it was last seen.

use api::WorkerState;
use leptos::prelude::*;

use crate::system::usage::{Usage, UsageBar};
use crate::system::words;
use crate::ui::format::{TimeAgo, number};
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn WorkerTable(
    /// `None` while the database does not answer.
    workers: Option<Vec<WorkerState>>,
) -> impl IntoView {
    let list = match workers {
        None => view! { <p class="muted">{words::UNKNOWN_WITHOUT_DATABASE}</p> }.into_any(),
        Some(workers) if workers.is_empty() => view! { <p class="muted">{words::NO_WORKER}</p> }.into_any(),
        Some(workers) => table(workers).into_any(),
    };
    view! {
        <section class="workers" aria-labelledby="workers-title">
            <h2 id="workers-title" tabindex="-1">"Workers"</h2>
            {list}
        </section>
    }
}

fn table(workers: Vec<WorkerState>) -> impl IntoView {
    view! {
        <table class="worker_table">
            <thead>
                <tr>
                    <th scope="col">"Worker"</th>
                    <th scope="col">"Host"</th>
                    <th scope="col">"Process"</th>
                    <th scope="col">"Version"</th>
                    <th scope="col">"Busy"</th>
                    <th scope="col">"Started"</th>
                    <th scope="col">"Last seen"</th>
                </tr>
            </thead>
            <tbody>{workers.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

fn row(worker: WorkerState) -> impl IntoView {
    let usage = Usage::of_worker(&worker);
    let busy = format!("{} of {} slots", number(worker.busy.into()), number(worker.slots.into()));
    let silent = worker
        .is_silent
        .then(|| view! { <span class="state_badge worker_silent"><Icon symbol=Symbol::Alert />"silent"</span> });
    view! {
        <tr>
            <th class="worker_name" scope="row">{worker.name}</th>
            <td class="worker_host">{worker.host}</td>
            <td class="worker_pid">{worker.pid}</td>
            <td class="worker_version">{worker.version}</td>
            <td class="worker_busy"><UsageBar label="Busy" text=busy.clone() usage /><span>{busy}</span></td>
            <td class="worker_started"><TimeAgo time=worker.started_at /></td>
            <td class="worker_heard"><TimeAgo time=worker.heard_at />{silent}</td>
        </tr>
    }
}
