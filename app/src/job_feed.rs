//! The counts of jobs by state and their kinds, live, and the news that some have changed.

use std::time::Duration;

use api::{JobCounts, JobKind};
use leptos::prelude::*;

use crate::context;
use crate::live::{Live, Subscription};

/// Lists are read again at most this often: a busy queue changes all the time.
const CALM: Duration = Duration::from_secs(1);

/// What the news is about; the greater is the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobNews {
    /// Jobs have said how far they are.
    Progress,
    /// Jobs were added, or have changed their states.
    States,
}

/// What is known; none until the stream has told it.
#[derive(Clone, Copy)]
pub struct JobFeed {
    pub counts: RwSignal<Option<JobCounts>>,
    pub kinds: RwSignal<Option<Vec<JobKind>>>,
}

/// Follows the jobs as long as the calling page is shown. `on_news` is called at most once a second, with the
/// greatest of what there was.
pub fn follow(on_news: impl Fn(JobNews) + Send + Sync + 'static) -> JobFeed {
    let counts = RwSignal::new(None::<JobCounts>);
    let kinds = RwSignal::new(None::<Vec<JobKind>>);
    let due = StoredValue::new(None::<JobNews>);
    let on_news = StoredValue::new(on_news);
    let session = context::session();
    let tell = move |news: JobNews| {
        if due.try_update_value(|due| due.replace(due.map_or(news, |due| due.max(news)))) == Some(None) {
            set_timeout(
                move || {
                    // The page may be gone by now.
                    if let Some(news) = due.try_update_value(Option::take).flatten() {
                        let _ = on_news.try_with_value(|on_news| on_news(news));
                    }
                },
                CALM,
            );
        }
    };
    let live = Live::follow(Subscription {
        address: Box::new(|| "/api/admin/jobs/events".to_owned()),
        events: &["counts", "kinds", "progress"],
        deliver: Box::new(move |event, data| {
            if event == "progress" {
                tell(JobNews::Progress);
                return;
            }
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
                tell(JobNews::States);
            }
        }),
        refused: Box::new(move || session.refresh()),
        link: context::connection().0,
    });
    // Dropped, and so closed, with the page.
    StoredValue::new_local(live);
    JobFeed { counts, kinds }
}
