//! Examines a server for the operator.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};

use crate::Options;
use crate::connect::{OpenError, connect_options, location, own_name};
use crate::error::store_error;

/// How long to wait for a notification. It usually takes much less.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether notifications sent through `url` arrive at `listen_url`, or at `url` if there is none. Through a
    /// transaction pooler they do not.
    pub are_notifications_heard: bool,
    /// How many connections the server accepts from ordinary users.
    pub connections_limit: u32,
    /// How many of them are in use, including this process's own.
    pub connections_in_use: u32,
}

/// Examines the server of `options` without changing anything.
pub async fn examine(options: &Options) -> Result<Examination, OpenError> {
    let own_name = own_name()?;
    let pooled = connect_options(&options.url, &own_name)?;
    let direct = options.listen_url.as_deref().map_or(Ok(pooled.clone()), |url| connect_options(url, &own_name))?;
    let (location, channel) = (location(&direct), own_name.replace('-', "_"));
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
    examined.await.map_err(|error| OpenError::Other { location, reason: store_error(error) })
}

async fn connections(connection: &mut PgConnection) -> sqlx::Result<(i64, i64)> {
    // Every user may count connections in this view; only privileged users see what they do.
    let sql = "select current_setting('max_connections')::bigint
                      - current_setting('superuser_reserved_connections')::bigint,
                      (select count(*) from pg_stat_activity where backend_type = 'client backend')";
    sqlx::query_as(sql).fetch_one(connection).await
}
