//! Follows the jobs: their counts by state, their kinds, and their changes.

use std::time::Duration;

use api::{JobCounts, JobKind};
use leptos::prelude::*;

use crate::platform::sse::EventStream;

/// The shortest time between two refreshes of a list: in a busy queue jobs change all the time.
const THROTTLE: Duration = Duration::from_secs(1);

/// What has changed, by importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobChange {
    /// Jobs have reported progress, or the stream has begun.
    Progress,
    /// Jobs were added, or have changed their states.
    States,
}

/// `None` until the stream has delivered it.
#[derive(Clone, Copy)]
pub struct JobStream {
    pub counts: RwSignal<Option<JobCounts>>,
    pub kinds: RwSignal<Option<Vec<JobKind>>>,
}

/// Follows the jobs as long as the calling page is shown. `on_change` is called at most once a second, with the most
/// important of the changes.
pub fn follow(on_change: impl Fn(JobChange) + Send + Sync + 'static) -> JobStream {
    let counts = RwSignal::new(None::<JobCounts>);
    let kinds = RwSignal::new(None::<Vec<JobKind>>);
    let pending = StoredValue::new(None::<JobChange>);
    let on_change = StoredValue::new(on_change);
    let changed = move |change: JobChange| {
        let merge =
            |pending: &mut Option<JobChange>| pending.replace(pending.map_or(change, |known| known.max(change)));
        if pending.try_update_value(merge) == Some(None) {
            set_timeout(
                move || {
                    // The page may be gone by now.
                    if let Some(change) = pending.try_update_value(Option::take).flatten() {
                        let _ = on_change.try_with_value(|on_change| on_change(change));
                    }
                },
                THROTTLE,
            );
        }
    };
    let deliver = move |event: &str, data: String| match event {
        "progress" => changed(JobChange::Progress),
        "kinds" => {
            if let Ok(latest) = serde_json::from_str(&data) {
                kinds.set(Some(latest));
            }
        }
        _ => {
            let Ok(latest) = serde_json::from_str::<JobCounts>(&data) else { return };
            let known = counts.get_untracked();
            counts.set(Some(latest));
            if known != Some(latest) {
                // The page may have read its list before the stream began, and missed what has changed in between.
                changed(if known.is_some() { JobChange::States } else { JobChange::Progress });
            }
        }
    };
    EventStream::new().open(|| "/api/admin/jobs/events".to_owned(), deliver);
    JobStream { counts, kinds }
}
