//! The account menu, and the guard of the pages for administrators.

use api::{ADDRESS_LIMIT, Account, ApiError, Route};
use leptos::prelude::*;

use crate::account::login::{self, LogOutError};
use crate::account::words;
use crate::platform::effect::effect;
use crate::platform::request::Request;
use crate::platform::session::SessionState;
use crate::platform::{context, url};
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Failure, Loading};
use crate::ui::part::part;
use crate::ui::shortcuts;
use crate::ui::theme::ThemeControl;

#[component]
pub fn AccountMenu() -> impl IntoView {
    let session = context::session();
    let route = context::router().route();
    view! {
        <div class="account_menu">
            {part(move || match session.state() {
                SessionState::Unknown => ().into_any(),
                SessionState::Known(info) => match info.account {
                    Some(account) => view! { <Menu account /> }.into_any(),
                    None => log_in_link(route),
                },
                SessionState::Failed(_) => log_in_link(route),
            })}
        </div>
    }
}

/// The pages to log in and to set up show no link to log in.
fn log_in_link(route: Memo<Route>) -> AnyView {
    match route.get() {
        Route::Login | Route::Setup => ().into_any(),
        _ => view! { <a class="button button-quiet" href="/login">{words::LOG_IN}</a> }.into_any(),
    }
}

#[component]
fn Menu(account: Account) -> impl IntoView {
    let (request, router) = (Request::new(), context::router());
    let log_out = move |_| login::log_out(request, move || router.go("/logout"));
    view! {
        <button
            class="button button-quiet account_button"
            type="button"
            popovertarget="account-menu"
            aria-label=words::account_of(&account.name)
        >
            <Icon symbol=Symbol::Person />
            <span class="account_name">{account.name.clone()}</span>
        </button>
        <div class="account_popover" id="account-menu" popover="auto">
            <p class="account_head">
                <strong dir="auto">{account.name}</strong>
                <span class="muted">{account.role.as_str()}</span>
            </p>
            <ThemeControl />
            <button class="account_item" type="button" on:click=log_out>{words::LOG_OUT}</button>
            <LogOutError request />
        </div>
    }
}

#[derive(Clone, PartialEq)]
enum Access {
    Unknown,
    Granted,
    Denied,
    Failed(ApiError),
}

/// Shows `page` to administrators. Other visitors log in first and return.
#[component]
pub fn AdministratorsOnly(#[prop(into)] page: ViewFn) -> impl IntoView {
    let session = context::session();
    // A memo, so that a changed session with the same access does not rebuild the page.
    let access = Memo::new(move |_| match session.state() {
        SessionState::Unknown => Access::Unknown,
        SessionState::Known(info) if info.account.is_some() => Access::Granted,
        SessionState::Known(_) => Access::Denied,
        SessionState::Failed(error) => Access::Failed(error),
    });
    effect(move || {
        if access.get() == Access::Denied {
            let router = context::router();
            let location = untrack(|| router.location());
            let next = location.path + &location.query;
            let login = url::with_query("/login", &[("next", Some(&next))]);
            if login.len() > ADDRESS_LIMIT {
                // The entry of the history remembers what an address cannot hold.
                router.replace("/login", Some(&url::with_query("", &[("next", Some(&next))])));
            } else {
                router.replace(&login, None);
            }
        }
    });
    move || match access.get() {
        Access::Granted => view! { {page.run()}<KeysHint /> }.into_any(),
        Access::Unknown | Access::Denied => view! { <Loading /> }.into_any(),
        Access::Failed(error) => {
            view! { <Failure text=error.message on_retry=move |()| session.refresh() /> }.into_any()
        }
    }
}

/// Says that there are keys.
#[component]
fn KeysHint() -> impl IntoView {
    view! {
        <button class="keys_hint" type="button" aria-label=words::KEYS on:click=move |_| shortcuts::show_help()>
            <span>{words::KEYS}</span>
            <kbd aria-hidden="true">"?"</kbd>
        </button>
    }
}
