//! Clients that search side by side, each as fast as it is answered.

use tests::http_client::HttpClient;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;

pub(crate) struct Load {
    answers: watch::Receiver<u64>,
    stop: CancellationToken,
    clients: JoinSet<()>,
}

/// What a client does where no answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It goes.
    GivesUp,
    /// It asks again, under the same id.
    Insists,
}

impl Load {
    pub(crate) fn start(journal: &Journal, client: &HttpClient, clients: usize, manner: Manner) -> Self {
        let (count, answers) = watch::channel(0);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (journal, client, count, stop) = (journal.clone(), client.clone(), count.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    let answer = match manner {
                        Manner::GivesUp => journal.search(&client).await,
                        Manner::Insists => Some(journal.search_until_answered(&client).await),
                    };
                    let Some(_) = answer else { return };
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Self { answers, stop, clients: tasks }
    }

    /// Waits until so many searches of this load were answered.
    pub(crate) async fn answered(&mut self, count: u64) {
        self.answers.wait_for(|answers| *answers >= count).await.expect("clients go on until the server is gone");
    }

    /// Waits until so many more were answered than are now.
    pub(crate) async fn answered_more(&mut self, count: u64) {
        let before = *self.answers.borrow();
        self.answered(before + count).await;
    }

    /// Waits until every client has found the server gone. Panics if one was answered wrongly.
    pub(crate) async fn ended(mut self) {
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("no client was answered wrongly");
        }
    }

    /// Lets each client wait for its last answer, and no client ask anything more.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.ended().await;
    }
}
