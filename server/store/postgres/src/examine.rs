//! What an operator should know of a server beyond that it answers.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};

use crate::error::store_error;
use crate::open::{connect_options, own_name, place};
use crate::{OpenError, Options};

/// Far more than a notification takes on its way.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether what is notified through `url` is heard by who listens through `listen_url`, or through `url` where
    /// there is none. It is not where a transaction pooler stands before the one who listens.
    pub are_notifications_heard: bool,
    /// How many connections the server takes from users like this one.
    pub connections_limit: u32,
    /// How many of these there are, ours included.
    pub connections_in_use: u32,
}

/// Looks at the server that `options` name. Changes nothing there.
pub async fn examine(options: &Options) -> Result<Examination, OpenError> {
    let own_name = own_name()?;
    let pooled = connect_options(&options.url, &own_name)?;
    let direct = options.listen_url.as_deref().map_or(Ok(pooled.clone()), |url| connect_options(url, &own_name))?;
    let (place, channel) = (place(&direct), own_name.replace('-', "_"));
    let examined = async {
        let one = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWERS_WITHIN).connect_lazy_with(direct);
        let mut listener = PgListener::connect_with(&one).await?;
        listener.listen(&channel).await?;
        let mut connection = pooled.connect().await?;
        sqlx::query("select pg_notify($1, '')").bind(&channel).execute(&mut connection).await?;
        let heard = tokio::time::timeout(HEARD_WITHIN, listener.recv()).await;
        let (limit, in_use) = connections(&mut connection).await?;
        let count = |number: i64| u32::try_from(number).unwrap_or(0);
        Ok(Examination {
            are_notifications_heard: matches!(heard, Ok(Ok(_))),
            connections_limit: count(limit),
            connections_in_use: count(in_use),
        })
    };
    examined.await.map_err(|error| OpenError::Other { place, reason: store_error(error) })
}

async fn connections(connection: &mut PgConnection) -> sqlx::Result<(i64, i64)> {
    // Everybody sees in the view how many there are; what they do is for those with more rights.
    let sql = "select current_setting('max_connections')::bigint
                      - current_setting('superuser_reserved_connections')::bigint,
                      (select count(*) from pg_stat_activity where backend_type = 'client backend')";
    sqlx::query_as(sql).fetch_one(connection).await
}
