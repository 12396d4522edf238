-- The ledger: where every search is that was ever accepted, and how many jobs there are in each state. Kept by
-- triggers, once for each statement, whoever has written it.

-- Whether the search of a log job has a row in the log.
alter table job add column recorded boolean not null default false;

-- What each transaction has added or taken away. Only ever inserted into, so that transactions never wait for one
-- another, as they would for a row that all of them update. `folded` and `total` keep it small.
--   jobs      jobs of this kind in this state
--   accepted  searches that ever got a job
--   recorded  rows in the log
--   reopened  searches that have a row, and a job that is to run all the same: somebody has retried it
--   pruned    searches without a row whose cancelled job was deleted
create table tally (
    xid xid8 not null default pg_current_xact_id(),
    what text not null,
    kind text not null default '',
    state text not null default '',
    by bigint not null
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Who reads begins behind what was folded: what was deleted there may long lie about under somebody's old snapshot.
create index tally_xid on tally (xid);

-- The sum of all that was ever folded.
create table total (
    what text not null,
    kind text not null,
    state text not null,
    count bigint not null,
    constraint total_pk primary key (what, kind, state)
);

-- Every line of a transaction before this one is in `total`.
create table folded (
    id integer not null,
    up_to xid8 not null,
    constraint folded_pk primary key (id),
    constraint folded_is_one_row check (id = 1)
);

insert into folded (id, up_to) values (1, '0');

-- Searches whose row or whose last trace in the queue was deleted. Those that have got a row
-- or a job again since are no longer missing: who reads this looks.
create table missing_search (
    search_id text not null,
    job_id bigint not null,
    what text not null,
    constraint missing_search_pk primary key (search_id)
);

-- "Look again" for the other processes, with the name of the connection that has changed something: its own
-- process knows already. Carries no data. Sent at the commit, once however often it is asked for.
create function wake(topic text) returns void language sql as $$
    select pg_notify('search4letters', topic || ' ' || current_setting('application_name', true));
$$;

create function job_inserted() returns trigger language plpgsql as $$
begin
    insert into tally (what, kind, state, by)
    select 'jobs', kind, state, count(*) from new_jobs group by kind, state
    union all
    select 'accepted', '', '', count(*) from new_jobs where kind = 'log_request' having count(*) > 0
    union all
    select 'reopened', '', '', count(*) from new_jobs
    where kind = 'log_request' and recorded and state <> 'done' having count(*) > 0;
    if found then
        perform wake('jobs');
    end if;
    if exists (select 1 from new_jobs where state in ('scheduled', 'waiting', 'retrying')) then
        perform wake('work');
    end if;
    return null;
end;
$$;

-- Counts what there was and what there is, instead of comparing row with row: of two sets without an index that
-- would be each with each.
create function job_updated() returns trigger language plpgsql as $$
declare
    was record;
    now record;
begin
    insert into tally (what, kind, state, by)
    select what, kind, state, sum(by)
    from (
        select 'jobs' as what, kind, state, -count(*) as by from old_jobs group by kind, state
        union all
        select 'jobs', kind, state, count(*) from new_jobs group by kind, state
        union all
        select 'reopened', '', '', -count(*) from old_jobs
        where kind = 'log_request' and recorded and state <> 'done'
        union all
        select 'reopened', '', '', count(*) from new_jobs
        where kind = 'log_request' and recorded and state <> 'done'
    ) as change
    group by what, kind, state having sum(by) <> 0;
    if found then
        perform wake('jobs');
    end if;
    select count(*) filter (where state = 'waiting') as waiting,
           count(*) filter (where state in ('scheduled', 'retrying')) as later,
           count(*) filter (where cancel_requested) as to_stop
    into was from old_jobs;
    select count(*) filter (where state = 'waiting') as waiting,
           count(*) filter (where state in ('scheduled', 'retrying')) as later,
           count(*) filter (where cancel_requested) as to_stop
    into now from new_jobs;
    -- A job that waits again may be older than those that were handed out lately.
    if now.waiting > was.waiting then
        perform wake('again');
    elsif now.later <> was.later then
        perform wake('work');
    end if;
    if now.to_stop > was.to_stop then
        perform wake('cancel');
        perform wake('jobs');
    end if;
    return null;
end;
$$;

create function job_deleted() returns trigger language plpgsql as $$
begin
    insert into tally (what, kind, state, by)
    select 'jobs', kind, state, -count(*) from old_jobs group by kind, state
    union all
    select 'reopened', '', '', -count(*) from old_jobs
    where kind = 'log_request' and recorded and state <> 'done' having count(*) > 0
    union all
    select 'pruned', '', '', count(*) from old_jobs
    where kind = 'log_request' and not recorded and state = 'cancelled' having count(*) > 0;
    if found then
        perform wake('jobs');
    end if;
    if exists (select 1 from old_jobs where state in ('scheduled', 'retrying')) then
        perform wake('work');
    end if;
    insert into missing_search (search_id, job_id, what)
    select key, id, 'Its job was deleted before it had written the row.' from old_jobs
    where kind = 'log_request' and not recorded and state <> 'cancelled' and key is not null
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
    return null;
end;
$$;

create function log_inserted() returns trigger language plpgsql as $$
begin
    insert into tally (what, by) select 'recorded', count(*) from new_rows having count(*) > 0;
    if found then
        perform wake('log');
    end if;
    return null;
end;
$$;

create function log_deleted() returns trigger language plpgsql as $$
begin
    insert into tally (what, by) select 'recorded', -count(*) from old_rows having count(*) > 0;
    update job set recorded = false
    where kind = 'log_request' and key in (select search_id from old_rows) and recorded;
    insert into missing_search (search_id, job_id, what)
    select search_id, job_id, 'Its row was deleted from the log.' from old_rows
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
    return null;
end;
$$;

create trigger job_inserted after insert on job
referencing new table as new_jobs for each statement execute function job_inserted();

create trigger job_updated after update on job
referencing old table as old_jobs new table as new_jobs for each statement execute function job_updated();

create trigger job_deleted after delete on job
referencing old table as old_jobs for each statement execute function job_deleted();

create trigger log_inserted after insert on log
referencing new table as new_rows for each statement execute function log_inserted();

create trigger log_deleted after delete on log
referencing old table as old_rows for each statement execute function log_deleted();
