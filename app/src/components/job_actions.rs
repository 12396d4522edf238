//! The buttons that act on a job, where its state and the account allow it.

use api::{JobId, JobState};
use leptos::prelude::*;

use crate::job_commands::{JobCommand, JobCommands, may_act};

#[component]
pub fn JobActions(id: JobId, state: JobState, commands: JobCommands) -> impl IntoView {
    let may_act = may_act();
    let JobId(number) = id;
    let buttons = move || {
        JobCommand::ALL.into_iter().filter(move |command| may_act.get() && command.fits(state)).map(move |command| {
            view! {
                <button
                    class="button button-small"
                    type="button"
                    data-command=command.as_str()
                    aria-label=format!("{} job {number}", command.as_str())
                    on:click=move |_| commands.run(command, id)
                >
                    {command.as_str()}
                </button>
            }
        })
    };
    view! { <div class="job_actions">{move || buttons().collect_view()}</div> }
}
