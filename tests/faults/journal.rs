//! The searching side: it knows what it was answered, and is the judge of what must be in the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{SearchAnswer, SearchId};
use tests::http_client::HttpClient;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Any time will do: the ids are told apart by their lower half.
const ID_TIME_MS: u64 = 1_700_000_000_000;

/// The searches that were answered, by id, with their phrase. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    answered: Arc<Mutex<BTreeMap<SearchId, String>>>,
    asked: Arc<AtomicU64>,
}

impl Journal {
    /// Searches once, under a new id. False where no answer came: then anything may have happened to the search.
    pub(crate) async fn search(&self, client: &HttpClient) -> bool {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let id = SearchId::from_parts(ID_TIME_MS, number.into());
        let phrase = format!("life, the universe and search {number}");
        let fields = [("phrase", phrase.as_str()), ("letters", "aeiou"), ("id", &id.to_string())];
        let Ok(answer) = client.post_form("/api/search", &fields).await else { return false };
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: SearchAnswer = answer.json();
        assert_eq!((answer.id, &answer.phrase), (id, &phrase), "the answer is to what was asked");
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(id, phrase);
        true
    }

    pub(crate) fn answered(&self) -> BTreeMap<SearchId, String> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Searches from several clients at once, each as fast as it is answered, until the load is dropped.
    pub(crate) fn load(&self, client: &HttpClient, clients: usize) -> Load {
        let (count, answers) = watch::channel(0);
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (journal, client, count) = (self.clone(), client.clone(), count.clone());
            tasks.spawn(async move {
                while journal.search(&client).await {
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Load { answers, tasks }
    }
}

/// Clients that search. Each stops at the first search that is not answered.
pub(crate) struct Load {
    answers: watch::Receiver<u64>,
    tasks: JoinSet<()>,
}

impl Load {
    /// Waits until so many searches of this load were answered.
    pub(crate) async fn answered(&mut self, count: u64) {
        self.answers.wait_for(|answers| *answers >= count).await.expect("clients go on until the server is gone");
    }

    /// Waits until every client has found the server gone. Panics if one was answered wrongly.
    pub(crate) async fn ended(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no client was answered wrongly");
        }
    }
}
