//! What a given database is like: whether it can keep what is promised, and where in it the tables are. What a session
//! can set is set (see `session`). The rest is refused with its remedy.

use api::FaultKind;
use sqlx::PgConnection;

use crate::open_error::OpenFailure;
use crate::session::Session;

/// The first version with 64-bit transaction ids in SQL.
const OLDEST_SERVER: i32 = 130_000;

/// The triggers of this version's schema.
pub(crate) const TRIGGERS: [&str; 9] = [
    "audit_stays",
    "job_deleted",
    "job_inserted",
    "job_kind_changed",
    "job_kinds_noticed",
    "job_reported",
    "job_updated",
    "log_deleted",
    "log_inserted",
];

#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Surroundings {
    version: i32,
    encoding: String,
    synchronous_commit: String,
    is_standby: bool,
    is_read_only: bool,
    are_triggers_off: bool,
    /// The schema with our tables that the search path leads to. All schemas are quoted identifiers.
    own: Option<String>,
    /// All schemas with our tables.
    holders: Vec<String>,
    /// The first schema of the search path.
    first: Option<String>,
    /// Whether the URL sets the search path.
    is_path_given: bool,
    public: Option<String>,
}

impl Surroundings {
    /// Looks at the server and the database as a new session sees them. Changes nothing.
    pub(crate) async fn look(connection: &mut PgConnection) -> Result<Self, OpenFailure> {
        let server = sqlx::query_scalar::<_, String>("show server_version_num").fetch_one(&mut *connection).await?;
        if server.parse::<i32>().is_ok_and(|version| version < OLDEST_SERVER) {
            let version = sqlx::query_scalar("show server_version").fetch_one(&mut *connection).await?;
            return Err(OpenFailure::OldServer(version));
        }
        let look = sqlx::query_as(
            "with holder as (
                 select space.oid, quote_ident(nspname) as name from pg_namespace as space
                 where (
                     select count(*) from pg_class
                     where relnamespace = space.oid and relname in ('_sqlx_migrations', 'compatibility', 'job', 'log')
                 ) = 4
             )
             select current_setting('server_version_num')::integer as version,
                    pg_encoding_to_char(encoding)::text as encoding,
                    current_setting('synchronous_commit') as synchronous_commit,
                    pg_is_in_recovery() as is_standby,
                    current_setting('default_transaction_read_only')::boolean as is_read_only,
                    current_setting('session_replication_role') = 'replica' as are_triggers_off,
                    (
                        select name from holder join pg_class on relnamespace = holder.oid
                        where pg_class.oid = to_regclass('compatibility')
                    ) as own,
                    array(select name from holder order by name) as holders,
                    quote_ident(current_schema()) as first,
                    exists (
                        select 1 from pg_settings where name = 'search_path' and source = 'client'
                    ) as is_path_given,
                    (select quote_ident(nspname) from pg_namespace where nspname = 'public') as public
             from pg_database where datname = current_database()",
        );
        Ok(look.fetch_one(connection).await?)
    }

    /// Refuses a database that cannot keep what is promised, whatever a session sets.
    pub(crate) fn refuse_unfit(&self) -> Result<(), OpenFailure> {
        if self.encoding != "UTF8" {
            return Err(unfit(format!(
                "its encoding is {}, which does not have every character that visitors type. Make another one with \
                 `createdb --template=template0 --encoding=UTF8 NAME`, and move what is in this one with \
                 `search4letters copy`",
                self.encoding
            )));
        }
        if self.are_triggers_off {
            return Err(unfit(
                "its triggers do not run for this user: session_replication_role is replica. \
                 Reset it for the role and the database"
                    .to_owned(),
            ));
        }
        let refuses_writes = if self.is_standby {
            "it is a standby, which accepts no writes. Give the address of the primary"
        } else if self.is_read_only {
            "it is set to read-only. If that was not meant to stop this program, reset default_transaction_read_only for \
             the role and the database"
        } else {
            return Ok(());
        };
        Err(OpenFailure::Unfit { kind: FaultKind::ConnectionError, reason: refuses_writes.to_owned() })
    }

    /// What each session sets. An empty database gets its tables in the schema that this names.
    pub(crate) fn session(&self) -> Result<Session, OpenFailure> {
        let synchronous_commit = if self.synchronous_commit == "remote_apply" { "remote_apply" } else { "on" };
        Ok(Session { schema: self.schema()?, synchronous_commit, version: self.version })
    }

    /// A search path in the URL is somebody's wish. Any other may have been set for other programs, and must not lead
    /// away from tables that exist.
    fn schema(&self) -> Result<String, OpenFailure> {
        let found = match (&self.own, self.holders.as_slice()) {
            (Some(own), _) => Some(own),
            (None, [holder]) if !self.is_path_given => Some(holder),
            (None, [_, _, ..]) if !self.is_path_given => {
                return Err(unfit(format!(
                    "several of its schemas have tables of this program ({}), and the search path leads to none. Name one \
                     in the URL: ?options=-c%20search_path%3DSCHEMA",
                    self.holders.join(", ")
                )));
            }
            (None, _) if self.is_path_given => self.first.as_ref(),
            (None, _) => self.first.as_ref().or(self.public.as_ref()),
        };
        found.cloned().ok_or_else(|| {
            unfit("the search path leads to no schema that exists. Create the schema, or name another one".to_owned())
        })
    }
}

/// Refuses tables of the schema `known_version` that somebody has changed, so that the promise would not hold.
pub(crate) async fn refuse_unfit_tables(connection: &mut PgConnection, known_version: i64) -> Result<(), OpenFailure> {
    let look = sqlx::query_as::<_, (bool, String, String, String)>(
        "with ours as (
             select oid, relname, relpersistence from pg_class
             where relnamespace = (select relnamespace from pg_class where oid = to_regclass('compatibility'))
               and relkind = 'r'
         )
         select (select max(version) from _sqlx_migrations) = $1,
                (select coalesce(string_agg(relname, ', ' order by relname), '') from ours
                 where row_security_active(oid)),
                (select coalesce(string_agg(relname, ', ' order by relname), '') from ours where relpersistence <> 'p'),
                (select coalesce(string_agg(name, ', ' order by name), '') from unnest($2::text[]) as name
                 where not exists (
                     select 1 from pg_trigger join ours on ours.oid = tgrelid
                     where tgname = name and tgenabled in ('O', 'A')
                 ))",
    );
    let look = look.bind(known_version).bind(TRIGGERS.as_slice()).fetch_one(connection).await?;
    let (is_of_this_version, hidden, unlogged, silent) = look;
    // A later version may have other triggers.
    let silent = if is_of_this_version { silent } else { String::new() };
    for (names, is, remedy) in [
        (hidden, "row-level security hides rows from this user in", "Disable it there, or give the role BYPASSRLS"),
        (
            unlogged,
            "a crash of the server would empty the unlogged tables",
            "Run `alter table NAME set logged` for each",
        ),
        (silent, "triggers that keep the ledger are missing or disabled", "Enable them, or restore a backup"),
    ] {
        if !names.is_empty() {
            return Err(unfit(format!("{is} {names}. {remedy}")));
        }
    }
    Ok(())
}

fn unfit(reason: String) -> OpenFailure {
    OpenFailure::Unfit { kind: FaultKind::SqlError, reason }
}
