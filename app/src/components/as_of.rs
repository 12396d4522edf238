//! Says that what is shown is old, where the page does not hear from the server.

use api::TimeMs;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::{context, wording};

#[component]
pub fn AsOf(#[prop(into)] heard_at: Signal<TimeMs>) -> impl IntoView {
    let now = context::now();
    view! {
        <p class="as_of">
            <Icon sign=Sign::Alert />
            {move || format!("as of {}; reconnecting", wording::relative(heard_at.get(), now.get()))}
        </p>
    }
}
