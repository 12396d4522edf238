//! The workers: how busy each is, and when it was last seen.

use api::WorkerState;
use leptos::prelude::*;

use crate::system::groups::Up;
use crate::system::usage::{Usage, UsageBar};
use crate::system::words;
use crate::ui::format::TimeAgo;
use crate::ui::icon::{Icon, Symbol};

#[component]
pub fn WorkerTable(
    /// `None` while the database does not answer.
    workers: Option<Vec<WorkerState>>,
) -> impl IntoView {
    let list = match workers {
        None => view! { <p class="muted">{words::UNKNOWN_WITHOUT_DATABASE}</p> }.into_any(),
        Some(workers) if workers.is_empty() => view! { <p class="muted">{words::NO_WORKER}</p> }.into_any(),
        Some(mut workers) if workers.len() == 1 => workers.pop().map(only_one).into_any(),
        Some(workers) => table(workers).into_any(),
    };
    view! {
        <section class="workers" aria-labelledby="workers-title">
            <h2 id="workers-title" tabindex="-1">{words::WORKERS}</h2>
            {list}
        </section>
    }
}

fn table(workers: Vec<WorkerState>) -> impl IntoView {
    view! {
        <table class="table worker_table">
            <thead>
                <tr>{words::WORKER_COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}</tr>
            </thead>
            <tbody>{workers.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

/// A table of one row says less than a line.
fn only_one(worker: WorkerState) -> impl IntoView {
    let (slots, silent) = (slots(&worker), silent(&worker));
    view! {
        <div class="worker_line">
            <p>
                <span class="worker_name">{worker.name}</span>
                " "
                {words::on_host(&worker.host)}
                <span class="muted">
                    {words::BETWEEN}<Up since=worker.started_at />{words::BETWEEN}{words::SEEN}
                    <TimeAgo time=worker.heard_at />
                </span>
                {silent}
            </p>
            {slots}
        </div>
    }
}

fn slots(worker: &WorkerState) -> impl IntoView + use<> {
    let usage = Usage::of_worker(worker);
    let busy = words::slots(worker.busy.into(), worker.slots.into());
    view! { <div class="worker_slots"><UsageBar label=words::BUSY text=busy.clone() usage /><span>{busy}</span></div> }
}

fn silent(worker: &WorkerState) -> impl IntoView + use<> {
    worker
        .is_silent
        .then(|| view! { <span class="state_badge worker_silent"><Icon symbol=Symbol::Alert />{words::SILENT}</span> })
}

fn row(worker: WorkerState) -> impl IntoView {
    let (slots, silent) = (slots(&worker), silent(&worker));
    view! {
        <tr>
            <th class="worker_name" scope="row">{worker.name}</th>
            <td class="worker_host">{worker.host}</td>
            <td class="worker_pid" data-label=words::WORKER_COLUMNS[2]>{worker.pid}</td>
            <td class="worker_version" data-label=words::WORKER_COLUMNS[3]>{worker.version}</td>
            <td class="worker_busy">{slots}</td>
            <td class="worker_started" data-label=words::WORKER_COLUMNS[5]><TimeAgo time=worker.started_at /></td>
            <td class="worker_heard" data-label=words::WORKER_COLUMNS[6]><TimeAgo time=worker.heard_at />{silent}</td>
        </tr>
    }
}
