//! `/setup#token=`: creates an administrator's account with a link that works once.

use api::{ApiError, ErrorCode};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::{ev, html};

use crate::account::field::{FieldKind, TextField};
use crate::account::login::{SubmitButton, confirmed, focus_name};
use crate::account::words;
use crate::platform::context;
use crate::platform::request::Request;
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;

/// What the server says of the link.
#[derive(Clone, PartialEq)]
enum Link {
    /// This token.
    Checking(String),
    Works(String),
    Expired,
    Incomplete,
    Failed(ApiError),
}

#[component]
pub fn SetupPage() -> impl IntoView {
    let link = RwSignal::new(Link::Incomplete);
    check(link);
    // Another link in the same tab differs in its fragment only, and loads no document.
    let on_hash = window_event_listener(ev::hashchange, move |_| {
        if token().is_some() {
            check(link);
        }
    });
    on_cleanup(move || on_hash.remove());
    view! {
        <div class="page page-form">
            <PageHeading text=words::SET_UP />
            {move || match link.get() {
                Link::Checking(_) => view! { <Loading /> }.into_any(),
                Link::Works(token) => view! { <SetupForm token link /> }.into_any(),
                Link::Expired => dead_end(words::LINK_USED),
                Link::Incomplete => dead_end(words::LINK_INCOMPLETE),
                Link::Failed(error) => {
                    view! { <Failure text=error.message on_retry=move |()| check(link) /> }.into_any()
                }
            }}
        </div>
    }
}

/// The error of an account that was perhaps created. Trying again asks the link: it works once.
fn in_doubt(error: ApiError) -> ApiError {
    ApiError { message: words::perhaps_created(&error.message), ..error }
}

/// Asks the server whether the link in the address still works.
fn check(link: RwSignal<Link>) {
    let Some(token) = token() else {
        link.set(Link::Incomplete);
        return;
    };
    let asked = Link::Checking(token.clone());
    link.set(asked.clone());
    spawn_local(async move {
        let answer = match api::check_setup_link(token.clone()).await {
            Ok(()) => Link::Works(token),
            Err(error) if error.code == ErrorCode::Expired => Link::Expired,
            Err(error) => Link::Failed(error),
        };
        // Another link may have been opened meanwhile.
        if link.try_get_untracked() == Some(asked) {
            link.set(answer);
        }
    });
}

/// The token in the address.
fn token() -> Option<String> {
    let fragment = window().location().hash().ok()?;
    fragment.strip_prefix("#token=").filter(|token| !token.is_empty()).map(ToOwned::to_owned)
}

fn dead_end(why: &'static str) -> AnyView {
    view! {
        <div class="empty_state">
            <p>{why}</p>
            <p>{words::NEW_LINK[0]}<code>{words::NEW_LINK_COMMAND}</code>{words::NEW_LINK[1]}</p>
            <p class="button_row">
                <a class="button button-primary" href="/login">{words::LOG_IN}</a>
                <a class="button" href="/">{words::GO_TO_SEARCH}</a>
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn SetupForm(token: String, link: RwSignal<Link>) -> impl IntoView {
    let session = context::session();
    let router = context::router();
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let request = Request::new();
    let error = request.error;
    let form = NodeRef::<html::Form>::new();
    focus_name(form);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if request.is_pending.get_untracked() {
            return;
        }
        error.set(None);
        let set_up = confirmed(api::set_up(token.clone(), name.get_untracked(), password.get_untracked()));
        request.send(set_up, move |result| match result {
            Ok(account) => {
                session.logged_in(account);
                router.replace("/viewlog", None);
            }
            Err(error) if error.code == ErrorCode::Expired => drop(link.try_set(Link::Expired)),
            Err(error) if error.is_outcome_unknown() => drop(link.try_set(Link::Failed(in_doubt(error)))),
            Err(_) => {}
        });
    };
    let at = move |field: &'static str| {
        let is_here = move |error: &ApiError| error.field.as_deref() == Some(field);
        Signal::derive(move || error.get().filter(is_here).map(|error| error.message))
    };
    let elsewhere = move || error.get().filter(|error| !matches!(error.field.as_deref(), Some("name" | "password")));
    view! {
        <p class="muted">{words::WHY_SET_UP}</p>
        <form class="card form" on:submit=submit node_ref=form>
            {move || elsewhere().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <TextField label=words::NAME name="name" kind=FieldKind::Text autocomplete="username" value=name error=at("name") />
            <TextField
                label=words::PASSWORD name="password" kind=FieldKind::Password autocomplete="new-password"
                hint=words::GOOD_PASSWORD value=password error=at("password")
            />
            <SubmitButton request label=words::CREATE_ACCOUNT pending_label=words::CREATING_ACCOUNT />
        </form>
    }
}
