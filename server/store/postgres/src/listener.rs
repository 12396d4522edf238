//! Notifications of other processes, by LISTEN and NOTIFY.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::store_error;
use crate::session::{Session, Use};

/// The functions `wake` and `wake_all` of migrations/postgres notify it.
const CHANNEL: &str = "search4letters";

/// How often everything is assumed to have changed while no notifications arrive.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// A connection that was quiet for this long is tested, because a cut network does not close it.
const TEST_AFTER: Duration = Duration::from_secs(30);
const TEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What the listener passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// Another process has notified this topic.
    Topic(&'a str),
    /// Notifications may have been missed.
    MaybeMissed,
}

/// Owns the task that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// `own_name` is the application name of this process's connections: their notifications are ignored.
    /// Returns once it listens, or has failed for the first time.
    pub(crate) async fn start(
        options: PgConnectOptions,
        session: Session,
        own_name: String,
        hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) -> Self {
        let pools = PgPoolOptions::new().max_connections(1).acquire_timeout(TEST_TIMEOUT).after_connect(
            move |connection, _| {
                let session = session.clone();
                Box::pin(async move { session.set(connection, Use::Statements).await })
            },
        );
        let (first, tried) = oneshot::channel();
        let task = tokio::spawn(ListenTask { pools, options, own_name, hear }.run(first));
        drop(tried.await);
        Self { task: Mutex::new(Some(task)) }
    }

    pub(crate) async fn close(&self) {
        if let Some(task) = self.abort() {
            drop(task.await);
        }
    }

    fn abort(&self) -> Option<JoinHandle<()>> {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        task.inspect(JoinHandle::abort)
    }
}

/// Ends the task of a store that was dropped without having been closed.
impl Drop for Listener {
    fn drop(&mut self) {
        self.abort();
    }
}

struct ListenTask<H> {
    pools: PgPoolOptions,
    options: PgConnectOptions,
    own_name: String,
    hear: H,
}

impl<H: Fn(Heard<'_>) + Send + Sync> ListenTask<H> {
    /// Never ends: reconnects a broken connection, and polls in the meantime. Drops `first` once it listens or has
    /// failed.
    async fn run(self, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        let mut is_failing = false;
        loop {
            let error = match self.connect().await {
                Ok(mut listener) => {
                    if std::mem::take(&mut is_failing) {
                        tracing::info!("notifications of other processes arrive again");
                    }
                    (self.hear)(Heard::MaybeMissed);
                    drop(first.take());
                    let Err(error) = self.listen(&mut listener).await;
                    error
                }
                Err(error) => error,
            };
            drop(first.take());
            if !std::mem::replace(&mut is_failing, true) {
                let error = store_error(error);
                tracing::warn!(%error, "notifications of other processes do not arrive; polling every second instead");
            }
            (self.hear)(Heard::MaybeMissed);
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Makes sure that notifications arrive: a transaction pooler accepts LISTEN and delivers nothing.
    async fn connect(&self) -> sqlx::Result<PgListener> {
        // A pool of its own: a listener that is dropped keeps its pool's only connection until the server has answered.
        let pool = self.pools.clone().connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        let echo = async {
            listener.listen(CHANNEL).await?;
            sqlx::query("select wake('echo')").execute(&mut listener).await?;
            while topic_and_sender(&self.next(&mut listener).await?) != ("echo", &self.own_name) {}
            Ok(())
        };
        tokio::time::timeout(TEST_TIMEOUT, echo).await.unwrap_or_else(|_| {
            let why = "LISTEN is accepted and nothing arrives: give a direct connection, --database-listen-url";
            Err(sqlx::Error::Protocol(why.to_owned()))
        })?;
        Ok(listener)
    }

    async fn listen(&self, listener: &mut PgListener) -> sqlx::Result<Infallible> {
        loop {
            match tokio::time::timeout(TEST_AFTER, self.next(listener)).await {
                Ok(notification) => {
                    let notification = notification?;
                    let (topic, sender) = topic_and_sender(&notification);
                    if sender != self.own_name {
                        (self.hear)(Heard::Topic(topic));
                    }
                }
                Err(_) => {
                    let test = sqlx::query("select 1").execute(&mut *listener);
                    tokio::time::timeout(TEST_TIMEOUT, test).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
            }
        }
    }

    async fn next(&self, listener: &mut PgListener) -> sqlx::Result<PgNotification> {
        let next = listener.try_recv().await?;
        next.ok_or_else(|| sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()))
    }
}

fn topic_and_sender(notification: &PgNotification) -> (&str, &str) {
    notification.payload().split_once(' ').unwrap_or((notification.payload(), ""))
}
