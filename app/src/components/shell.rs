//! The frame around every page. index.html paints the same frame before the wasm is there.

use leptos::prelude::*;

use crate::components::{AccountMenu, ConnectionLight, HelpDialog, NavigationBar, ThemeControl};

#[component]
pub fn Shell(children: Children) -> impl IntoView {
    view! {
        <a class="skip_link" href="#main">"Skip to content"</a>
        <div class="shell">
            <header class="topbar">
                <a class="brand" href="/" aria-label="search4letters">
                    <span class="brand_mark" aria-hidden="true">"s4"</span>
                    <span class="brand_name">"search4letters"</span>
                </a>
                <div class="topbar_tools">
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
