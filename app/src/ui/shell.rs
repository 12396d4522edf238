//! The frame around every page. index.html, lab.html and console.html show the same frame before the wasm is loaded.

use api::{Role, Route};
use leptos::prelude::*;

use crate::platform::effect::effect;
use crate::platform::session::SessionState;
use crate::platform::sse::StreamState;
use crate::platform::{context, reach, time};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::part::{part, text_part};
use crate::ui::shortcuts::Shortcuts;
use crate::ui::theme::ThemeControl;
use crate::ui::words;

#[component]
pub fn Shell(
    /// Stands at the end of the top bar.
    account_menu: AnyView,
    children: Children,
) -> impl IntoView {
    let session = context::session();
    let route = context::router().route();
    // Set by boot.js for the first page.
    effect(move || {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-frame", if route.get().is_console() { "console" } else { "public" });
        }
    });
    view! {
        <a class="skip_link" href="#main">{words::SKIP}</a>
        <div class="shell">
            <header class="topbar">
                <a class="brand" href="/" translate="no">
                    <span class="brand_mark" aria-hidden="true">"s4"</span>
                    <span class="brand_name">{words::SITE}</span>
                </a>
                <NavigationBar />
                <div class="topbar_tools" data-awaited=part(move || (session.state() == SessionState::Unknown).then_some(""))>
                    <ConnectionStatus />
                    // An account's menu has it too.
                    {part(move || {
                        let is_in_menu = route.get().is_console() || session.account().is_some();
                        (!is_in_menu).then(|| view! { <ThemeControl /> }.into_any())
                    })}
                    {account_menu}
                </div>
            </header>
            <main class="main" id="main" tabindex="-1">{children()}</main>
        </div>
        <UpdateNotice />
        <Shortcuts />
    }
}

/// Links to the pages; those for administrators are shown to administrators.
#[component]
fn NavigationBar() -> impl IntoView {
    let session = context::session();
    view! {
        <nav class="navigation_bar" aria-label=words::PAGES>
            <PageLink href="/" label=words::SEARCH symbol=Symbol::Search is_current=|route| route == Route::Entry />
            <PageLink
                href="/lab"
                label=words::LAB
                symbol=Symbol::Flask
                is_current=|route| matches!(route, Route::Lab | Route::LabRun(_))
            />
            {part(move || session.account().map(|_| view! {
                <PageLink href="/viewlog" label=words::LOG symbol=Symbol::List is_current=|route| route == Route::ViewLog />
                <PageLink
                    href="/jobs"
                    label=words::JOBS
                    symbol=Symbol::Stack
                    is_current=|route| matches!(route, Route::Jobs | Route::Job(_))
                />
                <PageLink href="/system" label=words::SYSTEM symbol=Symbol::Pulse is_current=|route| route == Route::System />
            }.into_any()))}
            {part(move || session.account().filter(|account| account.role == Role::Admin).map(|_| view! {
                <PageLink href="/audit" label=words::AUDIT symbol=Symbol::Signature is_current=|route| route == Route::Audit />
            }.into_any()))}
        </nav>
    }
}

#[component]
fn PageLink(href: &'static str, label: &'static str, symbol: Symbol, is_current: fn(Route) -> bool) -> impl IntoView {
    let route = context::router().route();
    view! {
        <a class="page_link" href=href title=label aria-current=part(move || is_current(route.get()).then_some("page"))>
            <Icon symbol />
            <span>{label}</span>
        </a>
    }
}

/// Whether the server answers, and whether the page receives its events.
#[component]
fn ConnectionStatus() -> impl IntoView {
    let (connection, is_silent) = (context::connection(), context::is_silent());
    let status = move || match (connection.get(), is_silent.get()) {
        (_, true) if reach::is_offline() => ("offline", words::OFFLINE),
        (StreamState::Reconnecting(_), _) => ("reconnecting", words::RECONNECTING),
        (StreamState::Silent(_), _) => ("reconnecting", words::NO_ANSWER),
        (_, true) => ("offline", words::NO_ANSWER),
        (StreamState::Idle, _) => ("idle", words::ONLINE),
        (StreamState::Connecting, _) => ("idle", words::CONNECTING),
        (StreamState::Live, _) => ("live", words::LIVE),
        (StreamState::Outdated(_), _) => ("reconnecting", words::DELAYED),
        (StreamState::Paused | StreamState::Crowded, _) => ("paused", words::PAUSED),
    };
    let explanation = move || match connection.get() {
        StreamState::Crowded => Some(words::CROWDED.to_owned()),
        state => not_live_since(state),
    };
    view! {
        <span class="connection_status" data-state=part(move || Some(status().0)) role="status" title=part(explanation)>
            <span class="connection_dot" aria-hidden="true"></span>
            <span class="connection_word">{text_part(move || status().1)}</span>
        </span>
    }
}

/// Since when the page is not live, if it was: `Not live since 10:03`.
pub fn not_live_since(state: StreamState) -> Option<String> {
    match state {
        StreamState::Reconnecting(Some(since)) | StreamState::Outdated(since) | StreamState::Silent(since) => {
            Some(words::not_live_since(&time::time_of_day(since)))
        }
        _ => None,
    }
}

/// Offers a reload when the server has been updated since this page was loaded.
#[component]
fn UpdateNotice() -> impl IntoView {
    let is_outdated = context::session().is_outdated;
    part(move || {
        is_outdated.get().then(|| {
            let reload = move |_| drop(window().location().reload());
            view! {
                <div class="update_notice" role="status">
                    <span>{words::NEW_VERSION}</span>
                    <button class="button button-small" type="button" on:click=reload>{words::RELOAD}</button>
                </div>
            }
            .into_any()
        })
    })
}
