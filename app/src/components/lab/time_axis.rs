//! The marks of a time axis, and lines down from them through what is drawn below.

use leptos::prelude::*;

use crate::lab::scale::Scale;
use crate::lab::span;

#[component]
pub fn TimeAxis(scale: Memo<Scale>) -> impl IntoView {
    let marks = move || {
        let scale = scale.get();
        let marks = scale.marks().into_iter().map(move |us| {
            // At the right edge the word stands left of its line.
            let is_last = scale.share(us) > 0.92;
            view! {
                <span class="time_mark" data-last=is_last.then_some("") style:left=scale.percent(us)>
                    <span>{if us == 0 { "0".to_owned() } else { span::set(us / 1_000) }}</span>
                </span>
            }
        });
        marks.collect_view()
    };
    view! { <div class="time_axis" aria-hidden="true"><div class="time_marks">{marks}</div></div> }
}
