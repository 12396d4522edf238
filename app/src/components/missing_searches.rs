//! The searches behind a ledger that does not add up.

use api::MissingSearch;
use leptos::prelude::*;

use crate::url;

#[component]
pub fn MissingSearches(missing: Vec<MissingSearch>) -> impl IntoView {
    let row = |MissingSearch { search, job, what }: MissingSearch| {
        let job = job.map(|job| view! { <a href=url::of_job(job)>{format!("#{}", job.0)}</a> });
        view! {
            <tr>
                <th scope="row"><code>{search.to_string()}</code></th>
                <td class="missing_job">{job.map_or_else(|| "none".into_any(), IntoAny::into_any)}</td>
                <td>{what}</td>
            </tr>
        }
    };
    view! {
        <table class="missing_searches">
            <caption>"Searches that are not where they should be"</caption>
            <thead>
                <tr><th scope="col">"Search"</th><th scope="col">"Job"</th><th scope="col">"What is amiss"</th></tr>
            </thead>
            <tbody>{missing.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}
