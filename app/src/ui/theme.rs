//! The theme: light, dark, or the system's. boot.js applies the choice before the first paint.

use leptos::ev;
use leptos::leptos_dom::helpers::WindowListenerHandle;
use leptos::prelude::*;
use web_sys::Storage;

use crate::ui::icon::{Icon, Symbol};
use crate::ui::words;

/// The key in the local storage; boot.js reads it there.
const KEY: &str = "theme";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    Light,
    Dark,
    System,
}

impl Theme {
    const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::System];

    fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    fn stored() -> Self {
        let stored = storage().and_then(|storage| storage.get_item(KEY).ok()?);
        let theme = Self::ALL.into_iter().find(|theme| stored.as_deref() == Some(theme.as_str()));
        theme.unwrap_or(Self::System)
    }

    /// A theme that cannot be stored still holds for this visit.
    fn store(self) {
        if let Some(storage) = storage() {
            let _ = storage.set_item(KEY, self.as_str());
        }
    }

    fn apply(self) {
        if let Some(root) = document().document_element() {
            let _ = match self {
                Self::System => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", self.as_str()),
            };
        }
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

#[component]
pub fn ThemeControl() -> impl IntoView {
    let chosen = RwSignal::new(Theme::stored());
    let show = move |theme: Theme| {
        chosen.set(theme);
        theme.apply();
    };
    let shown = window_event_listener(ev::pageshow, move |event| {
        // The document returns from the history cache; the theme may have been changed meanwhile in another bundle.
        if event.persisted() {
            show(Theme::stored());
        }
    });
    // Another tab has changed it.
    let stored = window_event_listener(ev::storage, move |event| {
        if event.key().is_none_or(|key| key == KEY) {
            show(Theme::stored());
        }
    });
    let listeners = StoredValue::new_local(vec![shown, stored]);
    on_cleanup(move || {
        let _ = listeners.try_update_value(|listeners| listeners.drain(..).for_each(WindowListenerHandle::remove));
    });
    let option = move |theme: Theme| {
        let (label, symbol) = match theme {
            Theme::Light => (words::LIGHT, Symbol::Light),
            Theme::Dark => (words::DARK, Symbol::Moon),
            Theme::System => (words::AS_THE_SYSTEM, Symbol::Screen),
        };
        view! {
            <label class="theme_option" title=label>
                <input
                    type="radio"
                    name="theme"
                    value=theme.as_str()
                    prop:checked=move || chosen.get() == theme
                    on:change=move |_| {
                        theme.store();
                        show(theme);
                    }
                />
                <Icon symbol />
                <span class="visually_hidden">{label}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="theme_control">
            <legend class="visually_hidden">{words::THEME}</legend>
            {Theme::ALL.map(option).collect_view()}
        </fieldset>
    }
}
