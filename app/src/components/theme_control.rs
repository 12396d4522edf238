//! The choice between the light, the dark and the system's theme.

use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::context;
use crate::theme::ThemeChoice;

#[component]
pub fn ThemeControl() -> impl IntoView {
    let theme = context::theme();
    let option = move |choice: ThemeChoice| {
        let (label, sign) = match choice {
            ThemeChoice::Light => ("Light", Sign::Light),
            ThemeChoice::Dark => ("Dark", Sign::Moon),
            ThemeChoice::System => ("System", Sign::Screen),
        };
        view! {
            <label class="theme_option" title=label>
                <input
                    type="radio"
                    name="theme"
                    value=choice.as_str()
                    prop:checked=move || theme.get() == choice
                    on:change=move |_| theme.choose(choice)
                />
                <Icon sign />
                <span class="visually_hidden">{label}</span>
            </label>
        }
    };
    view! {
        <fieldset class="theme_control">
            <legend class="visually_hidden">"Theme"</legend>
            {ThemeChoice::ALL.map(option).collect_view()}
        </fieldset>
    }
}
