//! A button that copies a text, and confirms it.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::ui::icon::{Icon, Symbol};
use crate::ui::part::text_part;
use crate::ui::words;

/// How long the confirmation is shown.
const CONFIRMATION: Duration = Duration::from_secs(2);

#[component]
pub fn CopyButton(
    label: &'static str,
    #[prop(optional)] symbol: Option<Symbol>,
    /// Read when the button is pressed.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let confirmation = RwSignal::new(None::<&'static str>);
    let copy = move |_| {
        spawn_local(async move {
            // Without https a page has a clipboard only on localhost.
            let clipboard = window().is_secure_context().then(|| window().navigator().clipboard());
            let is_copied = match clipboard {
                Some(clipboard) => JsFuture::from(clipboard.write_text(&text.get_untracked())).await.is_ok(),
                None => false,
            };
            confirmation.try_set(Some(if is_copied { words::COPIED } else { words::NOT_ALLOWED }));
            set_timeout(
                move || {
                    confirmation.try_set(None);
                },
                CONFIRMATION,
            );
        });
    };
    view! {
        <button class="button button-small copy_button" type="button" on:click=copy>
            <Icon symbol=symbol.unwrap_or(Symbol::Copy) />
            <span aria-live="polite">{text_part(move || confirmation.get().unwrap_or(label))}</span>
        </button>
    }
}
