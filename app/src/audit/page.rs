//! `/audit`: what people have done, newest first.

use api::{AuditEntry, AuditId, AuditPage as Page};
use leptos::prelude::*;

use crate::audit::words;
use crate::platform::retry::{self, Outcome};
use crate::platform::{context, time, url};
use crate::ui::format::TimeAgo;
use crate::ui::highlight;
use crate::ui::notice::{Failure, Loading};
use crate::ui::page::PageHeading;
use crate::ui::printed::Printed;
use crate::ui::words::{NEWEST, OLDER};

#[component]
pub fn AuditPage() -> impl IntoView {
    let (router, session) = (context::router(), context::session());
    let cursor = router.parameter("before");
    let before = Memo::new(move |_| cursor.get().and_then(|cursor| cursor.parse().ok()).map(AuditId));
    let page = LocalResource::new(move || api::audit(before.get()));
    let refresh = Callback::new(move |()| page.refetch());
    retry::reload(page, Outcome::of);
    view! {
        <div class="page">
            <header class="audit_head">
                <PageHeading text=words::HEADING />
                <p class="muted">{words::LEAD}</p>
                <Printed />
            </header>
            {move || match page.get() {
                None => view! { <Loading /> }.into_any(),
                Some(Ok(page)) => view! { <Entries page before=before.get() /> }.into_any(),
                Some(Err(error)) => {
                    session.end_if_signed_out(&error);
                    view! { <Failure text=error.message on_retry=refresh /> }.into_any()
                }
            }}
        </div>
    }
}

#[component]
fn Entries(page: Page, before: Option<AuditId>) -> impl IntoView {
    let Page { entries, next } = page;
    let newest = before.map(|_| view! { <a class="button" href="/audit">{NEWEST}</a> });
    if entries.is_empty() {
        let (text, hint) = if before.is_some() { (words::NO_OLDER, "") } else { (words::EMPTY, words::EMPTY_HINT) };
        return view! { <div class="empty_state"><p><strong>{text}</strong>" "{hint}</p>{newest}</div> }.into_any();
    }
    let older = next.map(|AuditId(id)| {
        let address = url::with_query("/audit", &[("before", Some(&id.to_string()))]);
        view! { <a class="button" href=address>{OLDER}</a> }
    });
    view! {
        <table class="table audit_table">
            <thead>
                <tr>{words::COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}</tr>
            </thead>
            <tbody>{entries.into_iter().map(|entry| view! { <Entry entry /> }).collect_view()}</tbody>
        </table>
        <nav class="pager" aria-label=words::PAGES>{newest}{older}</nav>
    }
    .into_any()
}

#[component]
fn Entry(entry: AuditEntry) -> impl IntoView {
    let (before, after) = words::deed(&entry);
    let AuditEntry { at, by, ip, job, target, .. } = entry;
    let target = highlight::visible(&target);
    let about = match job {
        Some(job) => view! {
            <a href=url::of_job(job)>"#"{job.0}</a>" "<code translate="no">{target}</code>
        }
        .into_any(),
        None => view! { <code translate="no">{target}</code> }.into_any(),
    };
    let by = match by {
        Some(name) => view! { <bdi translate="no">{highlight::visible(&name)}</bdi> }.into_any(),
        None => view! { <span class="muted">{words::COMMAND_LINE}</span> }.into_any(),
    };
    let ip = if ip.is_empty() { words::UNKNOWN.to_owned() } else { ip };
    view! {
        <tr>
            <td>{before}" "{about}" "{after}</td>
            <td>{by}</td>
            <td><span class="muted" translate="no">{ip}</span></td>
            <td title=time::local(at)><TimeAgo time=at /></td>
        </tr>
    }
}
