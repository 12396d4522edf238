//! Examines a server for the operator.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::Options;
use crate::connect::{Demand, begin_session, connect, connect_options, location, own_name};
use crate::error::store_error;
use crate::open_error::{OpenError, OpenFailure};
use crate::surroundings::TRIGGERS;

/// How long to wait for a notification. It usually takes much less.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Far more than the few small statements take together.
const EXAMINED_WITHIN: Duration = Duration::from_secs(30);

/// The first version that knows the version of a database's collation.
const COLLATION_VERSIONS_SINCE: i32 = 150_000;

/// Writes that change no row, one for each kind that the product makes. PostgreSQL refuses them like others: for missing
/// rights, or because a publication needs what a table does not have. The numbers of rows are of identity columns, whose
/// sequences need no right.
const WRITES: [(&str, &str); 26] = [
    ("job", "insert into job select * from job where false"),
    ("attempt", "insert into attempt select * from attempt where false"),
    ("log", "insert into log select * from log where false"),
    ("tally", "insert into tally select * from tally where false"),
    ("total", "insert into total select * from total where false"),
    ("missing_search", "insert into missing_search select * from missing_search where false"),
    ("account", "insert into account select * from account where false"),
    ("session", "insert into session select * from session where false"),
    ("session", "update session set idle_until_ms = idle_until_ms where false"),
    ("setup_link", "insert into setup_link select * from setup_link where false"),
    ("secret", "insert into secret select * from secret where false"),
    ("job_kind", "insert into job_kind select * from job_kind where false"),
    ("worker", "insert into worker select * from worker where false"),
    ("job_report", "insert into job_report select * from job_report where false"),
    ("job_output", "insert into job_output select * from job_output where false"),
    ("job", "update job set error = error where false"),
    ("job", "delete from job where false"),
    ("attempt", "delete from attempt where false"),
    ("tally", "delete from tally where false"),
    ("total", "update total set count = count where false"),
    ("folded", "update folded set up_to = up_to where false"),
    ("missing_search", "update missing_search set what = what where false"),
    ("session", "delete from session where false"),
    ("setup_link", "delete from setup_link where false"),
    ("job_kind", "update job_kind set paused = paused where false"),
    ("worker", "delete from worker where false"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether notifications sent through `url` arrive at `listen_url`, or at `url` if there is none. Through a
    /// transaction pooler they do not.
    pub are_notifications_heard: bool,
    /// The lowest limit on this user's connections.
    pub connections: ConnectionLimit,
    /// What the server refuses to write, with the reason and the remedy.
    pub refused_writes: Vec<String>,
    /// Settings of the server that weaken the promise, each with its remedy.
    pub risks: Vec<String>,
}

/// How many connections something accepts from this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// What sets the limit: the server, a role or a database.
    pub holder: String,
    /// How it is raised.
    pub remedy: String,
    pub limit: u32,
    /// How many of them are in use, including this process's own.
    pub in_use: u32,
}

/// Examines the server of `options` without changing anything.
pub async fn examine(options: &Options) -> Result<Examination, OpenError> {
    let own_name = own_name()?;
    let pooled = connect_options(&options.url, &own_name)?;
    let direct = options.listen_url.as_deref().map_or(Ok(pooled.clone()), |url| connect_options(url, &own_name))?;
    let (location, channel) = (location(&direct), own_name.replace('-', "_"));
    let mut session = connect(&direct, &location).await?;
    let examined = async {
        let settings = begin_session(&mut session, Demand::KeepsPromises).await?;
        let refused_writes = refused_writes(&mut session).await?;
        let mut risks = risks(&mut session, settings.version).await?;
        risks.extend(foreign_triggers(&mut session).await?);
        risks.extend(tables_without_autovacuum(&mut session).await?);
        drop(session.close().await);
        let one = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWERS_WITHIN).connect_lazy_with(direct);
        let mut listener = PgListener::connect_with(&one).await?;
        listener.listen(&channel).await?;
        let mut connection = pooled.connect().await?;
        sqlx::query("select pg_notify($1, '')").bind(&channel).execute(&mut connection).await?;
        let heard = tokio::time::timeout(HEARD_WITHIN, listener.recv()).await;
        let connections = connections(&mut connection).await?;
        Ok(Examination { are_notifications_heard: matches!(heard, Ok(Ok(_))), connections, refused_writes, risks })
    };
    let examined = tokio::time::timeout(EXAMINED_WITHIN, examined).await;
    let fell_silent = || Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into());
    examined.unwrap_or_else(|_| fell_silent()).map_err(|failure: OpenFailure| failure.with_location(location))
}

async fn refused_writes(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let mut refused = Vec::new();
    for (table, write) in WRITES {
        let mut transaction = connection.begin().await?;
        let outcome = sqlx::query(write).execute(&mut *transaction).await;
        transaction.rollback().await?;
        match outcome {
            Ok(_) => {}
            Err(error) if error.as_database_error().is_some() => refused.push(format!(
                "the server refuses to change the table {table}: {}. Grant the missing right, or give the table's \
                 publication or replica identity what it needs",
                store_error(error).detail()
            )),
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}

async fn risks(connection: &mut PgConnection, version: i32) -> sqlx::Result<Vec<String>> {
    let mut risks = Vec::new();
    for (setting, loss) in [
        ("fsync", "a crash of its machine loses searches that were answered, or all"),
        ("full_page_writes", "a crash of its machine may damage the database"),
        ("autovacuum", "dead rows are never removed, so that tables grow and everything becomes slower"),
        ("track_counts", "autovacuum finds nothing to do, so that tables grow and everything becomes slower"),
    ] {
        let is_off = sqlx::query_scalar::<_, bool>("select current_setting($1) = 'off'").bind(setting);
        if is_off.fetch_one(&mut *connection).await? {
            risks.push(format!(
                "{setting} is off on the server: {loss}. Switch it on where it is off: `select source, sourcefile from \
                 pg_settings where name = '{setting}'`"
            ));
        }
    }
    if version >= COLLATION_VERSIONS_SINCE {
        let has_changed = sqlx::query_scalar::<_, bool>(
            "select coalesce(datcollversion <> pg_database_collation_actual_version(oid), false)
             from pg_database where datname = current_database()",
        );
        if has_changed.fetch_one(connection).await? {
            risks.push(
                "the server's collations have another version than when the database was made, so that its indexes may \
                 be wrong: run `reindex database` and `alter database ... refresh collation version`"
                    .to_owned(),
            );
        }
    }
    Ok(risks)
}

/// A trigger of somebody else may make each write fail, or change what is written.
async fn foreign_triggers(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let found = sqlx::query_as::<_, (String, String)>(
        "select tgname::text, relname::text from pg_trigger join pg_class on pg_class.oid = tgrelid
         where relnamespace = (select relnamespace from pg_class where oid = to_regclass('compatibility'))
           and relname = any($1) and not tgisinternal and tgname <> all($2)
         order by 1, 2",
    );
    let tables: Vec<_> = WRITES.iter().map(|(table, _)| *table).collect();
    let found = found.bind(tables).bind(TRIGGERS.as_slice()).fetch_all(connection).await?;
    let risk = |(trigger, table): (String, String)| {
        format!(
            "the table {table} has the trigger {trigger} of somebody else: while it fails, nothing is written there. \
             Remove it, or see that it cannot fail"
        )
    };
    Ok(found.into_iter().map(risk).collect())
}

async fn tables_without_autovacuum(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let found = sqlx::query_scalar::<_, String>(
        "select relname::text from pg_class cross join pg_options_to_table(reloptions)
         where relnamespace = (select relnamespace from pg_class where oid = to_regclass('compatibility'))
           and relname = any($1)
           and case option_name when 'autovacuum_enabled' then not option_value::boolean else false end
         order by 1",
    );
    let tables: Vec<_> = WRITES.iter().map(|(table, _)| *table).collect();
    let risk = |table: String| {
        format!(
            "autovacuum is off for the table {table}: its dead rows are never removed, so that it grows and becomes \
             slower. Run `alter table {table} reset (autovacuum_enabled)`"
        )
    };
    Ok(found.bind(tables).fetch_all(connection).await?.into_iter().map(risk).collect())
}

async fn connections(connection: &mut PgConnection) -> sqlx::Result<ConnectionLimit> {
    // Every user may count connections in this view; only privileged users see what they do. The limits of roles and
    // databases do not hold for superusers.
    let sql = "with client as (select usename, datname from pg_stat_activity where backend_type = 'client backend')
               select 'the server' as holder, 'raise max_connections' as remedy,
                      current_setting('max_connections')::bigint
                      - current_setting('superuser_reserved_connections')::bigint
                      - coalesce(current_setting('reserved_connections', true)::bigint, 0) as most,
                      (select count(*) from client) as in_use
               union all
               select 'the role ' || quote_ident(rolname),
                      'run `alter role ' || quote_ident(rolname) || ' connection limit -1`',
                      rolconnlimit, (select count(*) from client where usename = rolname)
               from pg_roles where rolname = session_user and rolconnlimit >= 0 and not rolsuper
               union all
               select 'the database ' || quote_ident(datname),
                      'run `alter database ' || quote_ident(datname) || ' connection limit -1`',
                      datconnlimit, (select count(*) from client where client.datname = pg_database.datname)
               from pg_database join pg_roles on rolname = session_user
               where datname = current_database() and datconnlimit >= 0 and not rolsuper
               order by most
               limit 1";
    let (holder, remedy, limit, in_use) = sqlx::query_as(sql).fetch_one(connection).await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    Ok(ConnectionLimit { holder, remedy, limit: count(limit), in_use: count(in_use) })
}
