//! The kinds of jobs: how many of each there are, and what was decided for them.

use api::JobKind;
use leptos::prelude::*;

use crate::components::{KindRow, Notice, Tone};
use crate::kind_commands::KindCommands;

#[component]
pub fn KindTable(
    /// None until they are known.
    #[prop(into)]
    kinds: Signal<Option<Vec<JobKind>>>,
    commands: KindCommands,
) -> impl IntoView {
    // A row stays as long as its kind, and with it the focus and what is being typed.
    let names = Memo::new(move |_| {
        kinds.with(|kinds| kinds.iter().flatten().map(|kind| kind.kind.clone()).collect::<Vec<_>>())
    });
    let is_empty = Memo::new(move |_| kinds.with(|kinds| kinds.as_ref().is_some_and(Vec::is_empty)));
    view! {
        <section class="kind_card card card-flush" aria-labelledby="kinds-title">
            <h2 id="kinds-title">"Kinds"</h2>
            {move || commands.error.get().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="muted">"There are none yet: the first job of a kind makes it known."</p> }
            >
                <table class="kind_table">
                    <thead>
                        <tr>
                            <th scope="col">"Kind"</th>
                            <th scope="col">"Waiting"</th>
                            <th scope="col">"Running"</th>
                            <th scope="col">"Later"</th>
                            <th scope="col">"Dead"</th>
                            <th scope="col">"At most at a time"</th>
                            <th scope="col"><span class="visually_hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || names.get() key=String::clone let:name>
                            <KindRow name kinds commands />
                        </For>
                    </tbody>
                </table>
            </Show>
        </section>
    }
}
