//! The list of keys.

use leptos::html;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::{context, keys};

#[component]
pub fn HelpDialog() -> impl IntoView {
    let is_open = context::help_open().0;
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (is_open.get(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let rows = keys::HELP.map(|(keys, effect)| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect_view();
        view! { <div class="help_row"><dt>{keys}</dt><dd>{effect}</dd></div> }
    });
    view! {
        <dialog class="help_dialog" node_ref=dialog aria-labelledby="help-title" on:close=move |_| is_open.set(false)>
            <header class="dialog_head">
                <h2 id="help-title">"Keys"</h2>
                <button class="button button-icon" type="button" aria-label="Close" on:click=move |_| is_open.set(false)>
                    <Icon sign=Sign::Close />
                </button>
            </header>
            <dl class="help_list">{rows.collect_view()}</dl>
        </dialog>
    }
}
