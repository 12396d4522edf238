//! How the whole is doing, live.

use api::{SystemState, TimeMs};
use leptos::prelude::*;

use crate::live::{Live, Subscription};
use crate::{context, moment};

#[derive(Clone, Copy)]
pub struct SystemFeed {
    /// None until the first state has come.
    pub state: RwSignal<Option<SystemState>>,
    /// When the last state came, by the browser's clock: the server's may differ.
    pub heard_at: RwSignal<TimeMs>,
}

/// Follows the system's state as long as the calling page is shown.
pub fn follow() -> SystemFeed {
    let feed = SystemFeed { state: RwSignal::new(None), heard_at: RwSignal::new(moment::now()) };
    let session = context::session();
    let live = Live::follow(Subscription {
        address: Box::new(|| "/api/admin/system/events".to_owned()),
        events: &["state"],
        deliver: Box::new(move |_, data| {
            if let Ok(news) = serde_json::from_str(&data) {
                feed.heard_at.set(moment::now());
                feed.state.set(Some(news));
            }
        }),
        refused: Box::new(move || session.refresh()),
        link: context::connection().0,
    });
    // Dropped, and so closed, with the page.
    StoredValue::new_local(live);
    feed
}
