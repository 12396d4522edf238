//! Copies a text, and says that it did.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::components::{Icon, Sign};

/// How long the confirmation stays.
const CONFIRMATION: Duration = Duration::from_secs(2);

#[component]
pub fn CopyButton(
    label: &'static str,
    #[prop(optional)] sign: Option<Sign>,
    /// Read when the button is pressed.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let said = RwSignal::new(None::<&'static str>);
    let copy = move |_| {
        spawn_local(async move {
            // A page that is not served over https, other than from this machine, has no clipboard.
            let clipboard = window().is_secure_context().then(|| window().navigator().clipboard());
            let is_copied = match clipboard {
                Some(clipboard) => JsFuture::from(clipboard.write_text(&text.get_untracked())).await.is_ok(),
                None => false,
            };
            said.try_set(Some(if is_copied { "Copied" } else { "Not allowed" }));
            set_timeout(
                move || {
                    said.try_set(None);
                },
                CONFIRMATION,
            );
        });
    };
    view! {
        <button class="button button-small copy_button" type="button" on:click=copy>
            <Icon sign=sign.unwrap_or(Sign::Copy) />
            <span aria-live="polite">{move || said.get().unwrap_or(label)}</span>
        </button>
    }
}
