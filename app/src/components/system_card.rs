//! A card of the system's page: facts, and what is to be said about them.

use leptos::prelude::*;

use crate::components::{FactRow, Notice, Tone};
use crate::system_cards::{Card, Remark, Weight};

#[component]
pub fn SystemCard(card: Card) -> impl IntoView {
    let Card { id, title, facts, remarks } = card;
    view! {
        <section class="system_card card" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <dl>{facts.into_iter().map(|fact| view! { <FactRow fact /> }).collect_view()}</dl>
            {remarks.into_iter().map(remark).collect_view()}
        </section>
    }
}

fn remark(Remark { weight, text }: Remark) -> AnyView {
    let tone = match weight {
        Weight::Note => return view! { <p class="muted">{text}</p> }.into_any(),
        Weight::Warning => Tone::Warning,
        Weight::Error => Tone::Error,
    };
    view! { <Notice tone text=text.into_owned() /> }.into_any()
}
