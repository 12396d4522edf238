//! The form of a run with the database.

use leptos::prelude::*;

use super::lab_form::at;
use super::{LabForm, NumberField};
use crate::lab::commands::LabCommands;
use crate::lab::draft::DatabaseDraft;

#[component]
pub fn DatabaseForm(draft: DatabaseDraft, commands: LabCommands) -> impl IntoView {
    let spec = Memo::new(move |_| draft.spec());
    view! {
        <LabForm spec commands>
            <p class="muted">
                "Each task takes a connection of a small pool, reads, keeps the connection for a while and gives it back. \
                Some fail, panic or are aborted meanwhile: their connections must come back too."
            </p>
            <div class="number_fields">
                <NumberField label="Batches" name="batches" value=draft.batches error=at(spec, "batches") />
                <NumberField label="Tasks in each" name="tasks_per_batch" value=draft.tasks_per_batch
                    error=at(spec, "tasks_per_batch") />
                <NumberField label="Held for" name="hold_ms" unit="ms" value=draft.hold_ms
                    error=at(spec, "hold_ms") />
            </div>
            <fieldset class="choices">
                <legend>"Of the tasks"</legend>
                <div class="number_fields">
                    <NumberField label="fail" name="failing" unit="%" value=draft.failing error=at(spec, "failing") />
                    <NumberField label="panic" name="panicking" unit="%" value=draft.panicking
                        error=at(spec, "panicking") />
                    <NumberField label="are aborted" name="aborted" unit="%" value=draft.aborted
                        error=at(spec, "aborted") />
                </div>
            </fieldset>
        </LabForm>
    }
}
