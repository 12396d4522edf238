//! The frame around every page. index.html and console.html show the same frame before the wasm is loaded.

use api::Route;
use leptos::ev;
use leptos::prelude::*;

use crate::platform::context;
use crate::platform::session::SessionState;
use crate::platform::sse::StreamState;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::shortcuts::Shortcuts;
use crate::ui::theme::ThemeControl;

#[component]
pub fn Shell(
    /// Stands at the end of the top bar.
    account_menu: AnyView,
    children: Children,
) -> impl IntoView {
    let session = context::session();
    view! {
        <a class="skip_link" href="#main">"Skip to content"</a>
        <div class="shell">
            <header class="topbar">
                <a class="brand" href="/">
                    <span class="brand_mark" aria-hidden="true">"s4"</span>
                    <span class="brand_name">"search4letters"</span>
                </a>
                <div class="topbar_tools" data-awaited=move || (session.state() == SessionState::Unknown).then_some("")>
                    <ConnectionStatus />
                    <ThemeControl />
                    {account_menu}
                </div>
            </header>
            <NavigationBar />
            <main class="main" id="main" tabindex="-1">{children()}</main>
        </div>
        <Shortcuts />
    }
}

/// Links to the pages; those for administrators are shown to administrators.
#[component]
fn NavigationBar() -> impl IntoView {
    let session = context::session();
    view! {
        <nav class="navigation_bar" aria-label="Pages">
            <PageLink href="/" label="Search" symbol=Symbol::Search is_current=|route| route == Route::Entry />
            <PageLink
                href="/lab"
                label="Lab"
                symbol=Symbol::Flask
                is_current=|route| matches!(route, Route::Lab | Route::LabRun(_))
            />
            {move || session.account().map(|_| view! {
                <PageLink href="/viewlog" label="Log" symbol=Symbol::List is_current=|route| route == Route::ViewLog />
                <PageLink
                    href="/jobs"
                    label="Jobs"
                    symbol=Symbol::Stack
                    is_current=|route| matches!(route, Route::Jobs | Route::Job(_))
                />
                <PageLink href="/system" label="System" symbol=Symbol::Pulse is_current=|route| route == Route::System />
            })}
        </nav>
    }
}

#[component]
fn PageLink(href: &'static str, label: &'static str, symbol: Symbol, is_current: fn(Route) -> bool) -> impl IntoView {
    let route = context::router().route();
    view! {
        <a class="page_link" href=href aria-current=move || is_current(route.get()).then_some("page")>
            <Icon symbol />
            <span>{label}</span>
        </a>
    }
}

/// Whether the page receives events from the server.
#[component]
fn ConnectionStatus() -> impl IntoView {
    let connection = context::connection();
    let is_online = RwSignal::new(window().navigator().on_line());
    let _ = window_event_listener(ev::online, move |_| is_online.set(true));
    let _ = window_event_listener(ev::offline, move |_| is_online.set(false));
    let status = move || match connection.get() {
        _ if !is_online.get() => ("offline", "Offline"),
        StreamState::Idle => ("idle", "Online"),
        StreamState::Connecting => ("idle", "Connecting"),
        StreamState::Live => ("live", "Live"),
        StreamState::Reconnecting => ("reconnecting", "Reconnecting"),
        StreamState::Paused => ("paused", "Paused"),
    };
    view! {
        <span class="connection_status" data-state=move || status().0 role="status">
            <span class="connection_dot" aria-hidden="true"></span>
            <span>{move || status().1}</span>
        </span>
    }
}
