-- A search that has its row counts as recorded, whatever becomes of its job afterwards: `reopened` counts such jobs by
-- their state, so that they can be taken from the counts of jobs.

-- No job changes, and no count is compacted, until the counts are made anew.
do $$
begin
    lock table job, total in share row exclusive mode;
    delete from total where what = 'reopened';
    delete from tally where what = 'reopened';
    insert into tally (what, state, by)
    select 'reopened', state, count(*) from job
    where kind = 'log_request' and recorded and state <> 'done' group by state;
end;
$$;

create or replace function job_inserted() returns trigger language plpgsql as $$
declare
    are_there boolean;
    can_run boolean;
begin
    with change as materialized (
        select kind, state, recorded, count(*) as by from new_jobs group by kind, state, recorded
    ),
    noted as (
        insert into tally (what, kind, state, by)
        select 'jobs', kind, state, sum(by) from change group by kind, state
        union all
        select 'accepted', '', '', sum(by) from change where kind = 'log_request' having sum(by) > 0
        union all
        select 'reopened', '', state, sum(by) from change
        where kind = 'log_request' and recorded and state <> 'done' group by state
    )
    select count(*) > 0, coalesce(bool_or(state in ('scheduled', 'waiting', 'retrying')), false)
    into are_there, can_run from change;
    if are_there then
        perform wake('jobs');
    end if;
    if can_run then
        perform wake('work');
    end if;
    return null;
end;
$$;

-- Counts what there was and what there is, instead of comparing row with row, and reads each once. The end of a job
-- makes room for the next of its kind, where that has a limit.
create or replace function job_updated() returns trigger language plpgsql as $$
declare
    counts_differ boolean;
    more_wait boolean;
    later_differ boolean;
    more_stop boolean;
    has_room boolean;
begin
    with change as materialized (
        select kind, state, recorded, cancel_requested, sum(by) as by
        from (
            select kind, state, recorded, cancel_requested, -1 as by from old_jobs
            union all
            select kind, state, recorded, cancel_requested, 1 from new_jobs
        ) as line
        group by kind, state, recorded, cancel_requested
    ),
    noted as (
        insert into tally (what, kind, state, by)
        select 'jobs', kind, state, sum(by) from change group by kind, state having sum(by) <> 0
        union all
        select 'reopened', '', state, sum(by) from change
        where kind = 'log_request' and recorded and state <> 'done' group by state having sum(by) <> 0
        returning 1
    )
    select exists (select 1 from noted),
           coalesce(sum(by) filter (where state = 'waiting'), 0) > 0,
           coalesce(sum(by) filter (where state in ('scheduled', 'retrying')), 0) <> 0,
           coalesce(sum(by) filter (where cancel_requested), 0) > 0,
           coalesce(sum(by) filter (
               where state = 'running' and kind in (select kind from job_kind where concurrency is not null)
           ), 0) < 0
    into counts_differ, more_wait, later_differ, more_stop, has_room
    from change;
    if counts_differ then
        perform wake('jobs');
    end if;
    -- A job that waits again may be older than those that were handed out lately.
    if more_wait then
        perform wake('again');
    elsif later_differ then
        perform wake('work');
    end if;
    if more_stop then
        perform wake('cancel');
        perform wake('jobs');
    end if;
    if has_room then
        perform wake_all('work');
    end if;
    return null;
end;
$$;

create or replace function job_deleted() returns trigger language plpgsql as $$
begin
    delete from attempt where job_id in (select id from old_jobs);
    insert into tally (what, kind, state, by)
    select 'jobs', kind, state, -count(*) from old_jobs group by kind, state
    union all
    select 'reopened', '', state, -count(*) from old_jobs
    where kind = 'log_request' and recorded and state <> 'done' group by state
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
$$
-- A plan that was made while there were few attempts would read all of them later.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off;

-- The functions find their tables whatever the search path of the session is.
do $$
declare
    home text := (select relnamespace::regnamespace::text from pg_class where oid = 'job'::regclass);
    function text;
begin
    foreach function in array array['job_inserted', 'job_updated', 'job_deleted']
    loop
        execute format('alter function %s.%s() set search_path = %s, pg_temp', home, function, home);
    end loop;
end;
$$;
