//! The searching side: it knows what it was answered, and is the judge of what must be in the log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::{Receipt, Recorded, SearchAnswer, SearchId};
use tests::eventually;
use tests::http_client::HttpClient;
use tokio::time::{Instant, sleep, timeout};

use crate::load::{Load, Manner};

/// Any time will do: the ids are told apart by their lower half.
const ID_TIME_MS: u64 = 1_700_000_000_000;
/// A server that is not there refuses at once: without a pause its clients would be all the load there is.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Longer than any server here is gone, or kept from answering.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was asked, and what was answered. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    asked: u64,
    /// The best that was ever said of each search.
    answered: BTreeMap<SearchId, Answered>,
    /// How often a search had to be asked again, because no answer came.
    asked_again: u64,
    slowest: Duration,
}

#[derive(Clone, Debug)]
struct Answered {
    recorded: Recorded,
    receipt: Option<Receipt>,
}

impl Journal {
    /// Searches once, under a new id. None where no answer came: then anything may have happened to the search.
    pub(crate) async fn search(&self, client: &HttpClient) -> Option<Recorded> {
        let number = self.new_searches(1).start;
        self.ask(client, number).await
    }

    /// Searches under a new id, again and again under the same where no answer comes.
    pub(crate) async fn search_until_answered(&self, client: &HttpClient) -> Recorded {
        let number = self.new_searches(1).start;
        let answered = async {
            loop {
                if let Some(recorded) = self.ask(client, number).await {
                    return recorded;
                }
                self.pages().asked_again += 1;
                sleep(ASK_AGAIN_AFTER).await;
            }
        };
        timeout(PATIENCE, answered)
            .await
            .unwrap_or_else(|_| panic!("not answered within {PATIENCE:?}: search {number}"))
    }

    /// Clients that search at once, and go where no answer comes.
    pub(crate) fn load(&self, client: &HttpClient, clients: usize) -> Load {
        Load::start(self, client, clients, Manner::GivesUp)
    }

    /// Clients that search at once, and ask again where no answer comes.
    pub(crate) fn stubborn_load(&self, client: &HttpClient, clients: usize) -> Load {
        Load::start(self, client, clients, Manner::Insists)
    }

    /// Searches whose jobs the caller puts into the database itself: promised, as if they had been asked.
    pub(crate) fn promise(&self, count: u64) -> Vec<(SearchId, String)> {
        let numbers = self.new_searches(count);
        let promised = Answered { recorded: Recorded::Accepted, receipt: None };
        self.pages().answered.extend(numbers.clone().map(|number| (id(number), promised.clone())));
        numbers.map(|number| (id(number), phrase(number))).collect()
    }

    /// The receipts of those that were answered so.
    pub(crate) fn receipts(&self, recorded: Recorded) -> Vec<Receipt> {
        let pages = self.pages();
        let those = pages.answered.values().filter(|answered| answered.recorded == recorded);
        those.filter_map(|answered| answered.receipt.clone()).collect()
    }

    /// Those that were answered so.
    pub(crate) fn searches(&self, recorded: Recorded) -> BTreeSet<SearchId> {
        let pages = self.pages();
        pages.answered.iter().filter(|(_, answered)| answered.recorded == recorded).map(|(id, _)| *id).collect()
    }

    pub(crate) fn count(&self, recorded: Recorded) -> usize {
        self.pages().answered.values().filter(|answered| answered.recorded == recorded).count()
    }

    /// Waits until so many more searches were answered with this than are now.
    pub(crate) async fn counts_more(&self, recorded: Recorded, more: usize) {
        let before = self.count(recorded);
        eventually(&format!("{more} more searches are answered with {recorded:?}"), async || {
            (self.count(recorded) >= before + more).then_some(())
        })
        .await;
    }

    /// Those whose rows were promised: all that were answered, unless the answer said that they are not recorded.
    pub(crate) fn promised(&self) -> BTreeSet<SearchId> {
        let pages = self.pages();
        let promised = pages.answered.iter().filter(|(_, answered)| answered.recorded != Recorded::NotRecorded);
        promised.map(|(id, _)| *id).collect()
    }

    /// The phrases of all that were asked, answered or not.
    pub(crate) fn phrases(&self) -> BTreeMap<SearchId, String> {
        (0..self.pages().asked).map(|number| (id(number), phrase(number))).collect()
    }

    pub(crate) fn asked_again(&self) -> u64 {
        self.pages().asked_again
    }

    /// How long the slowest answer took, of all that came since this was asked last.
    pub(crate) fn take_slowest(&self) -> Duration {
        std::mem::take(&mut self.pages().slowest)
    }

    fn new_searches(&self, count: u64) -> Range<u64> {
        let mut pages = self.pages();
        pages.asked += count;
        pages.asked - count..pages.asked
    }

    async fn ask(&self, client: &HttpClient, number: u64) -> Option<Recorded> {
        let (id, phrase) = (id(number), phrase(number));
        let fields = [("phrase", phrase.as_str()), ("letters", "aeiou"), ("id", &id.to_string())];
        let began = Instant::now();
        let answer = client.post_form("/api/search", &fields).await.ok()?;
        let took = began.elapsed();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: SearchAnswer = answer.json();
        assert_eq!((answer.id, answer.phrase), (id, phrase), "the answer is to what was asked");

        let mut pages = self.pages();
        pages.slowest = pages.slowest.max(took);
        let new = Answered { recorded: answer.recorded, receipt: Some(answer.receipt) };
        let best = pages.answered.entry(id).or_insert_with(|| new.clone());
        // A promise stays one, whatever is said later.
        if best.recorded == Recorded::NotRecorded {
            *best = new;
        }
        Some(answer.recorded)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(number: u64) -> SearchId {
    SearchId::from_parts(ID_TIME_MS, number.into())
}

fn phrase(number: u64) -> String {
    format!("life, the universe and search {number}")
}
