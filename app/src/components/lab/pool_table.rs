//! The pool over time as a table, for those who do not see the lines.

use leptos::prelude::*;

use crate::lab::pool_steps::{self, PoolStep};
use crate::lab::scale::Scale;
use crate::lab::span;

/// So many moments are told.
const ROWS: u64 = 20;

#[component]
pub fn PoolTable(steps: Memo<Vec<PoolStep>>, scale: Memo<Scale>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let rows = move || {
        let scale = scale.get();
        let moments = (0..=ROWS).map(move |row| scale.at_thousandth(row * 1_000 / ROWS));
        steps.with(|steps| {
            let rows = moments.filter_map(|us| Some((us, pool_steps::at(steps, us)?))).map(|(us, step)| {
                view! {
                    <tr>
                        <th scope="row">{span::measured(us)}</th>
                        <td>{step.in_use}</td>
                        <td>{step.idle}</td>
                        <td>{step.waiting}</td>
                    </tr>
                }
            });
            rows.collect_view()
        })
    };
    view! {
        <details class="table_view" on:toggle:target=move |event| is_open.set(event.target().open())>
            <summary>"The same as a table"</summary>
            <Show when=move || is_open.get()>
                <table class="figures_table">
                    <thead>
                        <tr>
                            <th scope="col">"At"</th>
                            <th scope="col">"In use"</th>
                            <th scope="col">"Idle"</th>
                            <th scope="col">"Waiting"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </Show>
        </details>
    }
}
