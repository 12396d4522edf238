//! Whether the page hears from the server.

use leptos::ev;
use leptos::prelude::*;

use crate::context;
use crate::live::Link;

#[component]
pub fn ConnectionLight() -> impl IntoView {
    let link = context::connection().0;
    let is_online = RwSignal::new(window().navigator().on_line());
    let _ = window_event_listener(ev::online, move |_| is_online.set(true));
    let _ = window_event_listener(ev::offline, move |_| is_online.set(false));
    let state = move || if is_online.get() { state(link.get()) } else { ("offline", "Offline") };
    view! {
        <span class="connection_light" data-state=move || state().0 role="status">
            <span class="connection_dot" aria-hidden="true"></span>
            <span class="connection_word">{move || state().1}</span>
        </span>
    }
}

fn state(link: Link) -> (&'static str, &'static str) {
    match link {
        Link::Idle => ("idle", "Online"),
        Link::Connecting => ("idle", "Connecting"),
        Link::Live => ("live", "Live"),
        Link::Reconnecting => ("reconnecting", "Reconnecting"),
        Link::Paused => ("paused", "Paused"),
    }
}
