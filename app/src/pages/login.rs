//! `/login`: lets administrators in, and leads them where they wanted to go.

use leptos::html;
use leptos::prelude::*;
use leptos::{ev, task::spawn_local};

use api::ApiError;

use crate::components::{Notice, PageHeading, TextField, Tone};
use crate::session::SessionState;
use crate::{context, url};

#[component]
pub fn LoginPage() -> impl IntoView {
    let session = context::session();
    let navigation = context::navigation();
    let next = navigation.parameter("next");
    Effect::new(move |_| {
        if session.account().is_some() {
            navigation.replace(url::own_path(next.get_untracked().as_deref()), None);
        }
    });
    let has_accounts = move || match session.state() {
        SessionState::Known(info) => info.has_accounts,
        SessionState::Unknown | SessionState::Failed(_) => true,
    };
    view! {
        <div class="page page-form">
            <PageHeading text="Log in" />
            <LoginForm />
            // Below the form, which must not move when the server's answer comes.
            <Show when=move || !has_accounts()>
                <Notice tone=Tone::Info text="There is no account yet. The server has printed a link that makes the \
                    first one; `search4letters admin link` prints a new one." />
            </Show>
        </div>
    }
}

#[component]
fn LoginForm() -> impl IntoView {
    let session = context::session();
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let is_sending = RwSignal::new(false);
    let form = NodeRef::<html::Form>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if is_sending.get_untracked() {
            return;
        }
        is_sending.set(true);
        spawn_local(async move {
            let outcome = api::login(name.get_untracked(), password.get_untracked()).await;
            is_sending.try_set(false);
            match outcome {
                Ok(account) => session.logged_in(account),
                Err(failure) => {
                    error.try_set(Some(failure));
                    focus_on(form, "#password");
                }
            }
        });
    };
    Effect::new(move |_| {
        // After the heading, which takes the focus of whoever was sent here.
        request_animation_frame(move || focus_on(form, "#name"));
    });
    view! {
        <form class="card form" on:submit=submit node_ref=form>
            {move || error.get().map(|error| view! { <Notice tone=Tone::Error text=error.message /> })}
            <TextField label="Name" name="name" kind="text" autocomplete="username" value=name error=None />
            <TextField
                label="Password" name="password" kind="password" autocomplete="current-password"
                value=password error=None
            />
            <button class="button button-primary" type="submit" aria-disabled=move || is_sending.get().then_some("true")>
                {move || if is_sending.get() { "Logging in…" } else { "Log in" }}
            </button>
        </form>
    }
}

fn focus_on(form: NodeRef<html::Form>, selector: &str) {
    use wasm_bindgen::JsCast;
    let Some(form) = form.try_get_untracked().flatten() else { return };
    let field = form.query_selector(selector).ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        let _ = field.focus();
        field.select();
    }
}
