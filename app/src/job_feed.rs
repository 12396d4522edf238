//! The counts of jobs by state and their kinds, live, and the news that some have changed.

use std::time::Duration;

use api::{JobCounts, JobKind};
use leptos::prelude::*;

use crate::context;
use crate::live::{Live, Subscription};

/// Lists are read again at most this often: a busy queue changes all the time.
const CALM: Duration = Duration::from_secs(1);

/// What is known; none until the stream has told it.
#[derive(Clone, Copy)]
pub struct JobFeed {
    pub counts: RwSignal<Option<JobCounts>>,
    pub kinds: RwSignal<Option<Vec<JobKind>>>,
}

/// Follows the jobs as long as the calling page is shown. `on_change` is called after
/// changes of the counts, at most once a second.
pub fn follow(on_change: impl Fn() + Send + Sync + 'static) -> JobFeed {
    let counts = RwSignal::new(None::<JobCounts>);
    let kinds = RwSignal::new(None::<Vec<JobKind>>);
    let is_calling = StoredValue::new(false);
    let on_change = StoredValue::new(on_change);
    let session = context::session();
    let changed = move || {
        if is_calling.try_get_value() == Some(false) {
            is_calling.set_value(true);
            set_timeout(
                move || {
                    // The page may be gone by now.
                    let _ = is_calling.try_update_value(|is_calling| *is_calling = false);
                    let _ = on_change.try_with_value(|on_change| on_change());
                },
                CALM,
            );
        }
    };
    let live = Live::follow(Subscription {
        address: Box::new(|| "/api/admin/jobs/events".to_owned()),
        events: &["counts", "kinds"],
        deliver: Box::new(move |event, data| {
            if event == "kinds" {
                let Ok(news) = serde_json::from_str(&data) else { return };
                kinds.set(Some(news));
                return;
            }
            let Ok(news) = serde_json::from_str::<JobCounts>(&data) else { return };
            let known = counts.get_untracked();
            counts.set(Some(news));
            // The first counts are no change: the page has just read its list.
            if known.is_some_and(|known| known != news) {
                changed();
            }
        }),
        refused: Box::new(move || session.refresh()),
        link: context::connection().0,
    });
    // Dropped, and so closed, with the page.
    StoredValue::new_local(live);
    JobFeed { counts, kinds }
}
