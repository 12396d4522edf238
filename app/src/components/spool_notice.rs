//! Tells that a record lies in the spool, and afterwards, in the same place, that it does not any more.

use api::{ReceiptState, Recorded};
use leptos::prelude::*;

use crate::components::{Notice, Tone};
use crate::receipt::SpoolStay;

#[component]
pub fn SpoolNotice(
    /// What was known when the answer came.
    recorded: Recorded,
    /// What is known now.
    receipt: RwSignal<Option<ReceiptState>>,
) -> impl IntoView {
    let mut stay = SpoolStay::Never;
    move || {
        let is_spooled = receipt.with(|receipt| match receipt {
            Some(state) => state.spooled,
            None => recorded == Recorded::Spooled,
        });
        stay = SpoolStay::after(stay, is_spooled);
        match stay {
            SpoolStay::Never => ().into_any(),
            SpoolStay::Lasts => view! {
                <Notice tone=Tone::Warning text="The log's database is not answering. The record of this search is \
                    safe on the server's disk, and is written as soon as the database is back." />
            }
            .into_any(),
            SpoolStay::Over => view! {
                <Notice tone=Tone::Info text="The log's database was not answering. The record of this search was kept \
                    on the server's disk meanwhile; the database has it now." />
            }
            .into_any(),
        }
    }
}
