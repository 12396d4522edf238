//! A point in time, told from now; the exact time is in its title.

use api::TimeMs;
use leptos::prelude::*;

use crate::{context, moment, wording};

#[component]
pub fn TimeAgo(time: TimeMs) -> impl IntoView {
    let now = context::now();
    // A memo, because most ticks change nothing about an old time.
    let text = Memo::new(move |_| wording::relative(time, now.get()));
    view! {
        <time class="time_ago" datetime=moment::machine(time) title=moment::exact(time)>
            {move || text.get()}
        </time>
    }
}
