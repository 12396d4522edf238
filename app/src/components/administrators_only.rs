//! Shows a page to those who are logged in, and sends the others to log in and back.

use api::ApiError;
use leptos::prelude::*;

use crate::components::{Loading, Notice, Tone};
use crate::session::SessionState;
use crate::{context, url};

#[derive(Clone, PartialEq)]
enum Access {
    Unknown,
    Granted,
    Denied,
    Failed(ApiError),
}

#[component]
pub fn AdministratorsOnly(#[prop(into)] page: ViewFn) -> impl IntoView {
    let session = context::session();
    // A memo, so that news of the session which change nothing do not rebuild the page.
    let access = Memo::new(move |_| match session.state() {
        SessionState::Unknown => Access::Unknown,
        SessionState::Known(info) if info.account.is_some() => Access::Granted,
        SessionState::Known(_) => Access::Denied,
        SessionState::Failed(error) => Access::Failed(error),
    });
    Effect::new(move |_| {
        if access.get() == Access::Denied {
            send_to_login();
        }
    });
    move || match access.get() {
        Access::Granted => page.run(),
        Access::Unknown | Access::Denied => view! { <Loading /> }.into_any(),
        Access::Failed(error) => view! {
            <Notice tone=Tone::Error text=error.message>
                <button class="button" type="button" on:click=move |_| session.refresh()>"Try again"</button>
            </Notice>
        }
        .into_any(),
    }
}

fn send_to_login() {
    let navigation = context::navigation();
    let place = untrack(|| navigation.place());
    let next = place.path + &place.query;
    navigation.replace(&url::with_query("/login", &[("next", Some(&next))]), None);
}
