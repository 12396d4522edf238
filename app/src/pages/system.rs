//! `/system`: how the whole is doing.

use leptos::prelude::*;

use crate::components::{AsOf, Loading, PageHeading, SystemBoard};
use crate::live::Link;
use crate::{context, system_feed};

#[component]
pub fn SystemPage() -> impl IntoView {
    let feed = system_feed::follow();
    let link = context::connection().0;
    // What was shown stays when the stream is lost, but says that it is old.
    let is_old = Memo::new(move |_| link.get() != Link::Live && feed.state.with(Option::is_some));
    view! {
        <div class="page system_page" data-old=move || is_old.get().then_some("")>
            <header class="system_head">
                <PageHeading text="System" />
                <Show when=move || is_old.get()><AsOf heard_at=feed.heard_at /></Show>
            </header>
            {move || match feed.state.get() {
                Some(state) => view! { <SystemBoard state /> }.into_any(),
                None => view! { <Loading /> }.into_any(),
            }}
        </div>
    }
}
