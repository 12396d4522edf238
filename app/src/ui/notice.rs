//! Messages in the page.

use leptos::prelude::*;

use crate::ui::icon::{Icon, Symbol};
use crate::ui::{highlight, words};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Info,
    Warning,
    Error,
}

#[component]
pub fn Notice(
    tone: Tone,
    #[prop(optional)] title: Option<&'static str>,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let (name, role, symbol) = match tone {
        Tone::Info => ("info", "status", Symbol::Info),
        Tone::Warning => ("warning", "status", Symbol::Alert),
        Tone::Error => ("error", "alert", Symbol::Alert),
    };
    view! {
        <div class="notice" data-tone=name role=role>
            <Icon symbol />
            <p>{title.map(|title| view! { <strong>{title}</strong> }.into_any())}{highlight::visible(&text)}</p>
            {children.map(|children| view! { <div class="notice_actions">{children()}</div> }.into_any())}
        </div>
    }
}

/// An error, with a button that tries again.
#[component]
pub fn Failure(#[prop(into)] text: String, #[prop(into)] on_retry: Callback<()>) -> impl IntoView {
    view! {
        <Notice tone=Tone::Error text>
            <button class="button" type="button" on:click=move |_| on_retry.run(())>{words::TRY_AGAIN}</button>
        </Notice>
    }
}

/// The style sheet hides it for 400 ms: what loads sooner needs no announcement.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <p class="loading" role="status">
            <span class="spinner" aria-hidden="true"></span>
            {words::LOADING}
            <StillWaiting />
        </p>
    }
}

/// Shown beside what waits for an answer. The style sheet hides it for 3 s.
#[component]
pub fn StillWaiting() -> impl IntoView {
    view! { <span class="still_waiting">{words::STILL_WAITING}</span> }
}
