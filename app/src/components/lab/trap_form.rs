//! The form of the trap: one search, and a log that is slow.

use leptos::prelude::*;

use super::lab_form::at;
use super::{LabForm, NumberField};
use crate::lab::commands::LabCommands;
use crate::lab::draft::RequestDraft;

#[component]
pub fn TrapForm(draft: RequestDraft, commands: LabCommands) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    view! {
        <LabForm spec commands>
            <p class="muted">
                "The same search three times, in a process of its own: its log row is awaited, handed to a bare task, \
                and made a durable job. The last two processes are killed before the row is written."
            </p>
            <div class="number_fields">
                <NumberField label="Write delay" name="delay_ms" unit="ms" value=draft.delay_ms
                    error=at(spec, "delay_ms") />
            </div>
        </LabForm>
    }
}
