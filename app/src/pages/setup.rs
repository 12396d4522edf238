//! `/setup?token=`: makes an administrator's account with a one-use link.

use api::{ApiError, ErrorCode};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Notice, PageHeading, TextField, Tone};
use crate::context;

#[component]
pub fn SetupPage() -> impl IntoView {
    let token = context::navigation().parameter("token");
    let is_expired = RwSignal::new(false);
    view! {
        <div class="page page-form">
            <PageHeading text="Make your account" />
            {move || match token.get().filter(|token| !token.is_empty()) {
                _ if is_expired.get() => dead_end("This link was used already, or its 30 minutes are over."),
                Some(token) => view! { <SetupForm token is_expired /> }.into_any(),
                None => dead_end("This page is opened by a link that the server prints; the link is incomplete."),
            }}
        </div>
    }
}

fn dead_end(why: &'static str) -> AnyView {
    view! {
        <div class="card empty_state">
            <p>{why}</p>
            <p>"On the server's machine, " <code>"search4letters admin link"</code> " prints a new one."</p>
            <a class="button" href="/login">"Log in"</a>
        </div>
    }
    .into_any()
}

#[component]
fn SetupForm(token: String, is_expired: RwSignal<bool>) -> impl IntoView {
    let session = context::session();
    let navigation = context::navigation();
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let is_sending = RwSignal::new(false);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if is_sending.get_untracked() {
            return;
        }
        is_sending.set(true);
        error.set(None);
        let token = token.clone();
        spawn_local(async move {
            let outcome = api::set_up(token, name.get_untracked(), password.get_untracked()).await;
            is_sending.try_set(false);
            match outcome {
                Ok(account) => {
                    session.logged_in(account);
                    navigation.replace("/viewlog", None);
                }
                Err(failure) if failure.code == ErrorCode::Expired => drop(is_expired.try_set(true)),
                Err(failure) => drop(error.try_set(Some(failure))),
            }
        });
    };
    let at = move |field: &'static str| {
        let is_here = move |error: &ApiError| error.field.as_deref() == Some(field);
        Signal::derive(move || error.get().filter(is_here).map(|error| error.message))
    };
    let elsewhere = move || error.get().filter(|error| !matches!(error.field.as_deref(), Some("name" | "password")));
    view! {
        <form class="card form" on:submit=submit>
            <p class="muted">"This account can read the log and steer jobs."</p>
            {move || elsewhere().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <TextField label="Name" name="name" kind="text" autocomplete="username" value=name error=at("name") />
            <TextField
                label="Password" name="password" kind="password" autocomplete="new-password"
                hint="At least 12 characters; a few random words are good." value=password error=at("password")
            />
            <button class="button button-primary" type="submit" aria-disabled=move || is_sending.get().then_some("true")>
                {move || if is_sending.get() { "Making the account…" } else { "Make the account" }}
            </button>
        </form>
    }
}
