//! Wake-ups that other processes send, by LISTEN and NOTIFY.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification, PgPoolOptions};
use sqlx::{PgPool, postgres::PgConnectOptions};
use store::{Notifier, Topic};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::store_error;
use crate::queue::Front;

/// The functions `wake` and `wake_all` of migrations/postgres send to it.
const CHANNEL: &str = "search4letters";

/// While nothing can be heard, everybody looks this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A connection on which nothing was heard for so long is asked whether it is still there: a network that is cut
/// tells nobody.
const TRIED_AFTER: Duration = Duration::from_secs(30);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The task that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// `own_name` is the application name of this process's connections: what they say it knows already.
    /// Returns once it listens, or has failed to for the first time.
    pub(crate) async fn start(
        options: PgConnectOptions,
        own_name: String,
        waker: Arc<Notifier>,
        front: Arc<Front>,
    ) -> Self {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWERS_WITHIN).connect_lazy_with(options);
        let (first, tried) = oneshot::channel();
        let ear = Ear { pool, own_name, waker, front };
        let task = tokio::spawn(ear.listen_on(first));
        drop(tried.await);
        Self { task: Mutex::new(Some(task)) }
    }

    pub(crate) async fn close(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            drop(task.await);
        }
    }
}

/// A store that is dropped without having been closed listens no more either.
impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

struct Ear {
    pool: PgPool,
    own_name: String,
    waker: Arc<Notifier>,
    front: Arc<Front>,
}

impl Ear {
    /// For ever: a connection that breaks is made anew, and meanwhile everybody looks for themselves. Drops
    /// `first` once it has listened or failed to.
    async fn listen_on(self, first: oneshot::Sender<()>) {
        let mut first = Some(first);
        let mut is_deaf = false;
        loop {
            let error = match self.begin().await {
                Ok(mut listener) => {
                    if std::mem::take(&mut is_deaf) {
                        tracing::info!("wake-ups of other processes are heard again");
                    }
                    // Whatever was said before.
                    self.wake_all();
                    drop(first.take());
                    let Err(error) = self.listen(&mut listener).await;
                    error
                }
                Err(error) => error,
            };
            drop(first.take());
            if !std::mem::replace(&mut is_deaf, true) {
                let error = store_error(error);
                tracing::warn!(%error, "wake-ups of other processes are not heard; looking every second instead");
            }
            self.wake_all();
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Listens, and makes sure that what is said arrives: a transaction pooler accepts LISTEN and delivers nothing.
    async fn begin(&self) -> sqlx::Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        let echo = async {
            sqlx::query("select wake('echo')").execute(&mut listener).await?;
            while !self.is_echo(&self.next(&mut listener).await?) {}
            Ok(())
        };
        tokio::time::timeout(ANSWERS_WITHIN, echo).await.unwrap_or_else(|_| {
            let why = "LISTEN is accepted and nothing arrives: give a direct connection, --database-listen-url";
            Err(sqlx::Error::Protocol(why.to_owned()))
        })?;
        Ok(listener)
    }

    async fn listen(&self, listener: &mut PgListener) -> sqlx::Result<Infallible> {
        loop {
            match tokio::time::timeout(TRIED_AFTER, self.next(listener)).await {
                Ok(notification) => self.hear(&notification?),
                Err(_) => {
                    let asked = sqlx::query("select 1").execute(&mut *listener);
                    tokio::time::timeout(ANSWERS_WITHIN, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
            }
        }
    }

    async fn next(&self, listener: &mut PgListener) -> sqlx::Result<PgNotification> {
        let next = listener.try_recv().await?;
        next.ok_or_else(|| sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()))
    }

    fn is_echo(&self, notification: &PgNotification) -> bool {
        notification.payload().split_once(' ') == Some(("echo", &self.own_name))
    }

    fn hear(&self, notification: &PgNotification) {
        let (topic, from) = notification.payload().split_once(' ').unwrap_or((notification.payload(), ""));
        if from == self.own_name {
            return;
        }
        match topic {
            "log" => self.waker.notify(Topic::Log),
            "jobs" => self.waker.notify(Topic::Jobs),
            "work" => self.waker.notify(Topic::Work),
            "again" => {
                self.front.look_again();
                self.waker.notify(Topic::Work);
            }
            "cancel" => self.waker.notify(Topic::Cancel),
            "output" => self.waker.notify(Topic::Output),
            // A later version may have more to say.
            _ => {}
        }
    }

    fn wake_all(&self) {
        self.front.look_again();
        Topic::ALL.into_iter().for_each(|topic| self.waker.notify(topic));
    }
}
