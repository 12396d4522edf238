//! The settings of our sessions. Roles, databases and servers have defaults of their own, which must not change what
//! a statement does.

use sqlx::{AssertSqlSafe, PgConnection};

/// The first versions with these settings.
const IDLE_SESSION_TIMEOUT_SINCE: i32 = 140_000;
const TRANSACTION_TIMEOUT_SINCE: i32 = 170_000;

/// Below the time after which a client gives up: the server does not notice that, and would keep the lock and the
/// connection.
const STATEMENT_TIMEOUTS: &str = "set statement_timeout = '9s'; set lock_timeout = '8s';
                                  set idle_in_transaction_session_timeout = '15s';";
const NO_TIMEOUTS: &str =
    "set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0;";
/// A cached plan may date from when the tables were small, and would scan them after they have grown. No statement is
/// long enough for JIT compilation to pay off.
const PLANS: &str = "set plan_cache_mode = force_custom_plan; set jit = off;";
/// Begins a transaction on a connection with our settings. The server ends it soon if the process freezes in it.
pub(crate) const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = '5s'";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The short statements of a server or a worker.
    Statements,
    /// Migrations and copies, which may take long, and have limits of their own.
    Administration,
}

/// What the sessions on a database need.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The schema of our tables, as a quoted identifier.
    pub(crate) schema: String,
    /// A commit is on disk, or further, when it returns.
    pub(crate) synchronous_commit: &'static str,
    /// As in `server_version_num`.
    pub(crate) version: i32,
}

/// Lifts the time limits of a new session.
pub(crate) async fn lift_timeouts(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(NO_TIMEOUTS).execute(connection).await.map(drop)
}

impl Session {
    /// Settings that last as long as the connection.
    pub(crate) async fn set(&self, connection: &mut PgConnection, used_for: Use) -> sqlx::Result<()> {
        let timeouts = match used_for {
            Use::Statements => STATEMENT_TIMEOUTS,
            Use::Administration => NO_TIMEOUTS,
        };
        // One message, which takes one round trip. A time limit of the role holds until its end.
        let mut settings = format!("{timeouts} {PLANS} {}", self.defaults("set"));
        if self.version >= IDLE_SESSION_TIMEOUT_SINCE {
            settings.push_str(" set idle_session_timeout = 0;");
        }
        if self.version >= TRANSACTION_TIMEOUT_SINCE {
            settings.push_str(" set transaction_timeout = 0;");
        }
        // Of new tables.
        settings.push_str(" set default_table_access_method = heap; set default_tablespace = ''");
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(connection).await.map(drop)
    }

    /// Begins a transaction behind a pooler, where settings last as long as the transaction.
    pub(crate) fn begin_pooled(&self) -> String {
        format!(
            "{BEGIN}; set transaction isolation level read committed; set local lock_timeout = '8s'; \
             set local statement_timeout = '9s'; {}",
            self.defaults("set local")
        )
    }

    /// `isolation`: statements that wait for each other must not fail because of it. `search_path`: temporary tables come
    /// last, so that none hides ours.
    fn defaults(&self, set: &str) -> String {
        format!(
            "{set} default_transaction_isolation = 'read committed'; {set} standard_conforming_strings = on; \
             {set} synchronous_commit = {}; {set} search_path = {}, pg_temp;",
            self.synchronous_commit, self.schema
        )
    }
}
