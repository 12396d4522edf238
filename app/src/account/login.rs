//! `/login` and `/logout`.

use api::{Account, ApiError, ErrorCode, SessionInfo};
use leptos::prelude::*;
use leptos::{ev, html};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::account::field::{FieldKind, TextField};
use crate::account::words;
use crate::platform::effect::effect;
use crate::platform::request::Request;
use crate::platform::session::{KnownSession, SessionState};
use crate::platform::{context, url};
use crate::ui::notice::{Failure, Loading, Notice, Tone};
use crate::ui::page::PageHeading;
use crate::ui::part::part;

/// Logs an administrator in, then opens the page that required it.
#[component]
pub fn LoginPage() -> impl IntoView {
    let session = context::session();
    let router = context::router();
    effect(move || {
        if session.account().is_some() {
            let location = untrack(|| router.location());
            let next = location.parameter("next").or_else(|| location.noted("next"));
            router.replace(url::own_path(next.as_deref()), None);
        }
    });
    let location = untrack(|| router.location());
    let next = location.parameter("next").or_else(|| location.noted("next"));
    let why = match next {
        Some(_) if session.has_ended() => words::ENDED,
        Some(next) => words::why_log_in(&next),
        None => words::FOR_ADMINISTRATORS,
    };
    let has_accounts = move || match session.state() {
        SessionState::Known(info) => info.has_accounts,
        SessionState::Unknown | SessionState::Failed(_) => true,
    };
    view! {
        <div class="page page-form">
            <PageHeading text=words::LOG_IN />
            <p class="muted">{why}</p>
            <LoginForm />
            // Below the form, so that the form does not move when the server answers.
            <Show when=move || !has_accounts()>
                <Notice tone=Tone::Info text=words::NO_ACCOUNT_YET />
            </Show>
        </div>
    }
}

#[component]
fn LoginForm() -> impl IntoView {
    let session = context::session();
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let request = Request::new();
    let form = NodeRef::<html::Form>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if request.is_pending.get_untracked() {
            return;
        }
        let login = confirmed(api::login(name.get_untracked(), password.get_untracked()));
        request.send(login, move |result| match result {
            Ok(account) => session.logged_in(account),
            Err(_) => focus(form, "#password"),
        });
    };
    focus_name(form);
    view! {
        <form class="card form" on:submit=submit node_ref=form>
            {move || request.error.get().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <TextField label=words::NAME name="name" kind=FieldKind::Text autocomplete="username" value=name error=None />
            <TextField
                label=words::PASSWORD name="password" kind=FieldKind::Password autocomplete="current-password"
                value=password error=None
            />
            <SubmitButton request label=words::LOG_IN pending_label=words::LOGGING_IN />
        </form>
    }
}

/// The account that `login` has logged in, once the server knows it by its cookie.
pub async fn confirmed(login: impl Future<Output = Result<Account, ApiError>>) -> Result<Account, ApiError> {
    let account = login.await?;
    match api::session().await {
        Ok(SessionInfo { account: None, .. }) => {
            Err(ApiError::new(ErrorCode::Invalid, words::cookie_refused(&account.name)))
        }
        // If the server does not answer now, the next request shows whether it knows the account.
        _ => Ok(account),
    }
}

#[component]
pub fn SubmitButton(request: Request, label: &'static str, pending_label: &'static str) -> impl IntoView {
    let is_pending = request.is_pending;
    view! {
        <button class="button button-primary" type="submit" aria-disabled=move || is_pending.get().then_some("true")>
            {move || if is_pending.get() { pending_label } else { label }}
        </button>
    }
}

/// Gives the focus to the first field of a form that has just appeared, unless a visitor is already in one of its fields:
/// half of a password would be typed into the name.
pub fn focus_name(form: NodeRef<html::Form>) {
    effect(move || {
        // Runs after the page's heading has taken the focus.
        request_animation_frame(move || {
            if !has_focus(form) {
                focus(form, "#name");
            }
        });
    });
}

fn has_focus(form: NodeRef<html::Form>) -> bool {
    let form = form.try_get_untracked().flatten();
    form.is_some_and(|form| form.contains(document().active_element().as_deref()))
}

fn focus(form: NodeRef<html::Form>, selector: &str) {
    let Some(form) = form.try_get_untracked().flatten() else { return };
    let field = form.query_selector(selector).ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        let _ = field.focus();
        field.select();
    }
}

/// Says that the session has ended, or offers to end it. Opening this page ends nothing: anyone can write a link to it.
#[component]
pub fn LogoutPage() -> impl IntoView {
    let session = context::session();
    let request = Request::new();
    let log_out = move |_| log_out(request, || {});
    view! {
        <div class="page page-form">
            {move || match session.state() {
                SessionState::Unknown => view! { <Loading /> }.into_any(),
                SessionState::Failed(error) => {
                    view! { <Failure text=error.message on_retry=move |()| session.refresh() /> }.into_any()
                }
                SessionState::Known(KnownSession { account: None, .. }) => view! {
                    <PageHeading text=words::LOGGED_OUT />
                    <p class="muted">{if session.has_ended() { words::ENDED_HERE } else { words::NOBODY }}</p>
                    <p class="button_row">
                        <a class="button button-primary" href="/login">{words::LOG_IN}</a>
                        <a class="button" href="/">{words::GO_TO_SEARCH}</a>
                    </p>
                }
                .into_any(),
                SessionState::Known(KnownSession { account: Some(account), .. }) => view! {
                    <PageHeading text=words::LOG_OUT_QUESTION />
                    <p class="muted">{words::LOGGED_IN_AS[0]}<strong dir="auto">{account.name}</strong>{words::LOGGED_IN_AS[1]}</p>
                    <LogOutError request />
                    <p class="button_row">
                        <button class="button button-primary" type="button" on:click=log_out>{words::LOG_OUT}</button>
                        <a class="button" href="/viewlog">{words::STAY}</a>
                    </p>
                }
                .into_any(),
            }}
        </div>
    }
}

/// Says that the session may still exist, because its end has failed.
#[component]
pub fn LogOutError(request: Request) -> impl IntoView {
    part(move || {
        request
            .error
            .get()
            .map(|error| view! { <Notice tone=Tone::Error text=words::not_logged_out(&error.message) /> }.into_any())
    })
}

/// Ends the session on the server. Calls `then` when it has ended, before this page forgets the account.
pub fn log_out(request: Request, then: impl FnOnce() + 'static) {
    let session = context::session();
    request.send(api::logout(), move |result| {
        if result.is_ok() {
            then();
            session.logged_out();
        }
    });
}
