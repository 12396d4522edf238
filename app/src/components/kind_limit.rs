//! How many jobs of a kind may run at a time: to be read, and to be set by those who may.

use leptos::prelude::*;

use crate::job_commands::may_act;
use crate::kind_commands::{KindCommand, KindCommands, limit_of};
use crate::wording::number;

#[component]
pub fn KindLimit(name: String, limit: Memo<Option<u32>>, commands: KindCommands) -> impl IntoView {
    let may_act = may_act();
    let shown = move || limit.get().map_or_else(|| "no limit".to_owned(), |limit| number(limit.into()));
    view! {
        <Show when=move || may_act.get() fallback=move || view! { <span>{shown}</span> }>
            <LimitForm name=name.clone() limit commands />
        </Show>
    }
}

#[component]
fn LimitForm(name: String, limit: Memo<Option<u32>>, commands: KindCommands) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<&'static str>);
    // What is being typed stays, unless the limit itself becomes another.
    Effect::new(move |_| text.set(limit.get().map(|limit| limit.to_string()).unwrap_or_default()));
    let error_id = format!("limit-error-{name}");
    let field = format!("Most {name} jobs at a time");
    let button = format!("Set the limit of {name}");
    let described_by = error_id.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wanted = text.with_untracked(|text| limit_of(text));
        fault.set(wanted.err());
        if let Ok(limit) = wanted {
            commands.run(KindCommand::Limit(limit), name.clone());
        }
    };
    view! {
        <form class="kind_limit_form" novalidate on:submit=submit>
            <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                maxlength="12"
                placeholder="no limit"
                aria-label=field
                aria-invalid=move || fault.get().map(|_| "true")
                aria-describedby=move || fault.get().map(|_| described_by.clone())
                prop:value=text
                on:input:target=move |event| {
                    text.set(event.target().value());
                    fault.set(None);
                }
            />
            <button class="button button-small" type="submit" aria-label=button>"Set"</button>
            <p class="field_error" id=error_id role="alert">{move || fault.get()}</p>
        </form>
    }
}
