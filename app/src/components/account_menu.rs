//! Who is logged in, and the way in or out.

use api::Account;
use leptos::prelude::*;

use crate::components::{Icon, Sign};
use crate::context;
use crate::session::SessionState;

#[component]
pub fn AccountMenu() -> impl IntoView {
    let session = context::session();
    view! {
        <div class="account_menu">
            {move || match session.state() {
                SessionState::Unknown => ().into_any(),
                SessionState::Known(info) => match info.account {
                    Some(account) => view! { <Menu account /> }.into_any(),
                    None => log_in_link(),
                },
                SessionState::Failed(_) => log_in_link(),
            }}
        </div>
    }
}

fn log_in_link() -> AnyView {
    view! { <a class="button button-quiet" href="/login">"Log in"</a> }.into_any()
}

#[component]
fn Menu(account: Account) -> impl IntoView {
    view! {
        <button
            class="button button-quiet account_button"
            type="button"
            popovertarget="account-menu"
            aria-label=format!("Account of {}", account.name)
        >
            <Icon sign=Sign::Person />
            <span class="account_name">{account.name.clone()}</span>
        </button>
        <div class="account_popover" id="account-menu" popover="auto">
            <p class="account_who">
                <strong dir="auto">{account.name}</strong>
                <span class="muted">{account.role.as_str()}</span>
            </p>
            <a class="account_item" href="/logout">"Log out"</a>
        </div>
    }
}
