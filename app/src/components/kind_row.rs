//! A kind of job: its counts, its limit, and whether it is paused.

use api::{JobCounts, JobKind};
use leptos::prelude::*;

use crate::components::{Icon, KindLimit, Sign};
use crate::job_commands::may_act;
use crate::kind_commands::{KindCommand, KindCommands};
use crate::wording::number;

#[component]
pub fn KindRow(
    name: String,
    #[prop(into)] kinds: Signal<Option<Vec<JobKind>>>,
    commands: KindCommands,
) -> impl IntoView {
    let may_act = may_act();
    let kind = {
        let name = name.clone();
        Memo::new(move |_| kinds.with(|kinds| kinds.iter().flatten().find(|kind| kind.kind == name).cloned()))
    };
    let is_paused = Memo::new(move |_| kind.with(|kind| kind.as_ref().is_some_and(|kind| kind.paused)));
    let limit = Memo::new(move |_| kind.with(|kind| kind.as_ref().and_then(|kind| kind.limit)));
    let count = move |figure: fn(JobCounts) -> u64| {
        move || kind.with(|kind| kind.as_ref().map(|kind| number(figure(kind.counts))))
    };
    let verb = move || if is_paused.get() { "Resume" } else { "Pause" };
    let command = move || if is_paused.get_untracked() { KindCommand::Resume } else { KindCommand::Pause };
    view! {
        <tr>
            <th class="kind_name" scope="row">
                <span class="job_kind">{name.clone()}</span>
                <Show when=move || is_paused.get()>
                    <span class="state_badge kind_paused"><Icon sign=Sign::Pause />"paused"</span>
                </Show>
            </th>
            <td class="kind_count kind_waiting">{count(|counts| counts.waiting)}</td>
            <td class="kind_count kind_running">{count(|counts| counts.running)}</td>
            <td class="kind_count kind_later">{count(|counts| counts.scheduled + counts.retrying)}</td>
            <td class="kind_count kind_dead">{count(|counts| counts.dead)}</td>
            <td class="kind_limit"><KindLimit name=name.clone() limit commands /></td>
            <td class="kind_buttons">
                <Show when=move || may_act.get()>
                    <button
                        class="button button-small"
                        type="button"
                        aria-label={
                            let name = name.clone();
                            move || format!("{} {name}", verb())
                        }
                        on:click={
                            let name = name.clone();
                            move |_| commands.run(command(), name.clone())
                        }
                    >
                        {verb}
                    </button>
                </Show>
            </td>
        </tr>
    }
}
