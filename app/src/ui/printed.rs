//! What paper says of the time.

use api::TimeMs;
use leptos::prelude::*;

use crate::platform::sse::StreamState;
use crate::platform::{context, time};
use crate::ui::words;

/// On paper: of which time the page is. While nothing arrives, that is when something could last arrive.
#[component]
pub fn Printed() -> impl IntoView {
    let (now, connection) = (context::now(), context::connection());
    let at = Memo::new(move |last: Option<&TimeMs>| match (connection.get(), last) {
        (StreamState::Live, _) | (_, None) => now.get(),
        (_, Some(&last)) => last,
    });
    view! { <p class="printed">{move || words::printed(&time::local(at.get()), &time::zone_name())}</p> }
}
