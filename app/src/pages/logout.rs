//! `/logout`: ends the session, then says so.

use api::ApiError;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Loading, Notice, PageHeading, Tone};
use crate::context;

#[component]
pub fn LogoutPage() -> impl IntoView {
    let session = context::session();
    let outcome = RwSignal::new(None::<Result<(), ApiError>>);
    let log_out = move || {
        spawn_local(async move {
            let result = api::logout().await;
            if result.is_ok() {
                session.logged_out();
            }
            outcome.try_set(Some(result));
        });
    };
    log_out();
    let title =
        move || if outcome.get().is_some_and(|outcome| outcome.is_ok()) { "You are logged out" } else { "Log out" };
    view! {
        <div class="page page-form">
            <PageHeading text=Signal::derive(move || title().to_owned()) />
            {move || match outcome.get() {
                None => view! { <Loading /> }.into_any(),
                Some(Ok(())) => view! {
                    <div class="card empty_state">
                        <p>"The session has ended, here and on the server."</p>
                        <p class="button_row">
                            <a class="button" href="/login">"Log in again"</a>
                            <a class="button button-quiet" href="/">"Go to the search"</a>
                        </p>
                    </div>
                }
                .into_any(),
                Some(Err(error)) => view! {
                    <Notice tone=Tone::Error text=format!("You are still logged in. {}", error.message)>
                        <button class="button" type="button" on:click=move |_| log_out()>"Try again"</button>
                    </Notice>
                }
                .into_any(),
            }}
        </div>
    }
}
