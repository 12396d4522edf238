//! Modal dialogs.

use leptos::html;
use leptos::prelude::*;

use crate::platform::effect::effect;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::words;

/// A dialog that is shown while `is_open`, with a heading and a button that closes it.
#[component]
pub fn Dialog(
    class: &'static str,
    heading_id: &'static str,
    heading: &'static str,
    is_open: RwSignal<bool>,
    children: Children,
) -> impl IntoView {
    let dialog = modal(move || is_open.get());
    view! {
        <dialog class=class node_ref=dialog aria-labelledby=heading_id on:close=move |_| is_open.set(false)>
            <header class="dialog_head">
                <h2 id=heading_id>{heading}</h2>
                <button class="button button-icon" type="button" aria-label=words::CLOSE on:click=move |_| is_open.set(false)>
                    <Icon symbol=Symbol::Close />
                </button>
            </header>
            {children()}
        </dialog>
    }
}

/// Returns the `node_ref` for a dialog that opens and closes with `is_open`.
pub fn modal(is_open: impl Fn() -> bool + 'static) -> NodeRef<html::Dialog> {
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        match (is_open(), dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    dialog
}
