//! The frame around every page. index.html paints the same frame before the wasm is there.

use leptos::prelude::*;

use crate::components::{AccountMenu, ConnectionLight, HelpDialog, NavigationBar, ThemeControl};
use crate::context;
use crate::session::SessionState;

#[component]
pub fn Shell(children: Children) -> impl IntoView {
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
                    <ConnectionLight />
                    <ThemeControl />
                    <AccountMenu />
                </div>
            </header>
            <NavigationBar />
            <main class="main" id="main" tabindex="-1">{children()}</main>
        </div>
        <HelpDialog />
    }
}
