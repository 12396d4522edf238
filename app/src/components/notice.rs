//! A message in the page: what is the matter, and what can be done.

use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::marking;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Info,
    Warning,
    Error,
}

#[component]
pub fn Notice(
    tone: Tone,
    /// What it is about, where that has a name.
    #[prop(optional)]
    title: Option<&'static str>,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let (name, role) = match tone {
        Tone::Info => ("info", "status"),
        Tone::Warning => ("warning", "status"),
        Tone::Error => ("error", "alert"),
    };
    view! {
        <div class="notice" data-tone=name role=role>
            <Icon sign=Sign::Alert />
            <p>{title.map(|title| view! { <strong>{title}</strong> })}{marking::visible(&text)}</p>
            {children.map(|children| view! { <div class="notice_actions">{children()}</div> })}
        </div>
    }
}
